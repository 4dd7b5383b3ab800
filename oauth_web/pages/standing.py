"""How each account stands, ready to be shown: problems first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from oauth_web.services import services
from worker.mailbox_pass.progress import Progress
from worker.owner.accounts import Account

Kind = Literal["sign_in_again", "problem", "working", "waiting", "ok"]

_ORDER: tuple[Kind, ...] = ("sign_in_again", "problem", "working", "waiting", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An account as the page shows it.

    kind ``waiting``: its first pass has not ended yet. done, total, found, left: of the pass under way, messages,
    opt-outs, and the time that it will still take.
    """

    email: str
    kind: Kind
    problem: str
    last_pass: datetime | None
    next_pass: datetime | None
    queued: int
    done: int = 0
    total: int = 0
    found: int = 0
    left: timedelta | None = None


def standings() -> list[Standing]:
    """Return the accounts, those that need the seller first."""
    app = services().app
    return _sorted(_standing(account, app.passes.progress(account.email)) for account in app.accounts.all())


def _sorted(found: Iterable[Standing]) -> list[Standing]:
    return sorted(found, key=lambda standing: _ORDER.index(standing.kind))


def _standing(account: Account, progress: Progress | None) -> Standing:
    shown = progress or Progress(done=0, total=0)
    return Standing(
        email=account.email,
        kind=_kind(account, under_way=progress is not None),
        problem=str(account.problem or ""),
        last_pass=account.last_pass,
        next_pass=account.next_pass,
        queued=max(account.queued, shown.total - shown.done),
        done=shown.done,
        total=shown.total,
        found=shown.found,
        left=shown.left,
    )


def _kind(account: Account, *, under_way: bool) -> Kind:
    if account.state != "ok":
        return account.state
    if under_way:
        return "working"
    return "waiting" if account.last_pass is None else "ok"
