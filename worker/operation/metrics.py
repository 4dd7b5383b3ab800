"""What Prometheus may know: numbers about passes, notices, the queue and the list, in its text format.

The format: prometheus.io/docs/instrumenting/exposition_formats. No buyer and no order is ever a label.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from worker.accounts import Account
from worker.app import App
from worker.errors import StorageError
from worker.operation.health import free_bytes, health
from worker.preferences import sync_interval

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Family:
    """The samples of one name: values by their labels, each a tuple of (label, value)."""

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: Mapping[tuple[tuple[str, str], ...], float]


def metrics(app: App, now: datetime, counted: Iterable[Family] = ()) -> str:
    """Return all numbers as Prometheus reads them. counted: what only the running process can count.

    What cannot be read at the moment is left out, and ``buyerblock_ready`` is 0 then.
    """
    ready = health(app, now).ready
    families = [Family("buyerblock_ready", "gauge", "1 if all that has to work does.", {(): int(ready)})]
    try:
        families += _of_list(app)
        families += _of_accounts(app.accounts.all(), now)
    except (StorageError, OSError):
        pass  # health has said it already
    return render([*families, *counted])


def render(families: Iterable[Family]) -> str:
    """Return families in the text format. A family without samples is left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines += [f"# HELP {family.name} {_escaped(family.help)}", f"# TYPE {family.name} {family.kind}"]
            lines += [f"{family.name}{_labels(it)} {value:.15g}" for it, value in family.samples.items()]
    return "".join(f"{line}\n" for line in lines)


def _of_list(app: App) -> list[Family]:
    return [
        Family("buyerblock_blocks", "gauge", "Buyers on the block list.", {(): len(app.block_list)}),
        Family("buyerblock_review", "gauge", "Mails that wait for a person.", {(): len(app.review.items())}),
        Family(
            "buyerblock_disk_free_bytes",
            "gauge",
            "Room left on the disk of the data directory.",
            {(): free_bytes(app.settings.data_dir)},
        ),
        Family(
            "buyerblock_sync_interval_seconds",
            "gauge",
            "Seconds between two passes, as set.",
            {(): sync_interval(app.settings)},
        ),
    ]


def _of_accounts(accounts: Iterable[Account], now: datetime) -> list[Family]:
    by_account = {(("account", it.email),): it for it in accounts}
    good = {key: it.last_good_pass for key, it in by_account.items() if it.last_good_pass}
    return [
        Family(
            "buyerblock_signed_in",
            "gauge",
            "0 if the account has to sign in again.",
            {key: int(it.state != "sign_in_again") for key, it in by_account.items()},
        ),
        Family(
            "buyerblock_account_ok",
            "gauge",
            "0 if the account has a problem that its owner should know of.",
            {key: int(it.state == "ok") for key, it in by_account.items()},
        ),
        Family(
            "buyerblock_queued",
            "gauge",
            "Notices that are not judged yet.",
            {key: it.queued for key, it in by_account.items()},
        ),
        Family(
            "buyerblock_last_good_pass_age_seconds",
            "gauge",
            "Time since a pass last left nothing in the queue.",
            # A clock that was set back must not make it negative.
            {key: max(0.0, (now - moment).total_seconds()) for key, moment in good.items()},
        ),
    ]


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    words = ",".join('{}="{}"'.format(name, _escaped(value).replace('"', '\\"')) for name, value in labels)
    return f"{{{words}}}" if words else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
