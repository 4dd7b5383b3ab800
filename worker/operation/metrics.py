"""Metrics for Prometheus about passes, notices, the queue and the list. A buyer is never a label."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from worker.app import App
from worker.errors import StorageError
from worker.gate.record import OUTCOMES, GateRecord
from worker.operation.health import free_bytes, health, status_of
from worker.owner.preferences import sync_interval

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# By the names of Passes.counted: the metric's name, its label, and its help text.
_COUNTERS = {
    "passes": ("buyerblock_passes", "outcome", "Passes that have ended, since the start."),
    "notices": ("buyerblock_notices", "verdict", "Queued mails that were judged, since the start."),
    "repairs": ("buyerblock_repairs", "", "Steps that put labels and filters right, since the start."),
    "units": ("buyerblock_quota_units", "", "Units of Gmail's quota that were spent, since the start."),
    "refusals": ("buyerblock_refusals", "", "Calls that Gmail refused for speed, since the start."),
}


def metrics(app: App, now: datetime) -> bytes:
    """Return all metrics in Prometheus' text format.

    Metrics that cannot be read now are left out; ``buyerblock_ready`` is then 0.
    """
    return generate_latest(_Numbers(app, now))


class _Numbers(Collector):
    def __init__(self, app: App, now: datetime) -> None:
        self._app = app
        self._now = now

    def collect(self) -> Iterator[Metric]:
        ready = health(self._app, self._now).ready
        yield GaugeMetricFamily("buyerblock_ready", "1 if all that has to work does.", int(ready))
        with suppress(StorageError, OSError):  # buyerblock_ready says it
            yield from [*self._of_list(), *self._of_accounts()]
            yield self._of_gate()
        yield from self._counted()

    def _of_list(self) -> Iterator[Metric]:
        app = self._app
        yield GaugeMetricFamily("buyerblock_blocks", "Buyers on the block list.", len(app.block_list))
        yield GaugeMetricFamily("buyerblock_review", "Mails that wait for a person.", len(app.review))
        yield GaugeMetricFamily(
            "buyerblock_disk_free_bytes",
            "Room left on the disk of the data directory.",
            free_bytes(app.settings.data_dir),
        )
        yield GaugeMetricFamily(
            "buyerblock_sync_interval_seconds",
            "Seconds between two passes, as set.",
            sync_interval(app.settings, app.database),
        )

    def _of_accounts(self) -> Iterator[Metric]:
        signed_in = _by_account("buyerblock_signed_in", "0 if the account has to sign in again.")
        is_ok = _by_account(
            "buyerblock_account_ok", "0 if the account has a problem that its owner should know of."
        )
        queued = _by_account("buyerblock_queued", "Notices that are not judged yet.")
        age = _by_account(
            "buyerblock_last_good_pass_age_seconds", "Time since a pass last left nothing in the queue."
        )
        for it in self._app.accounts.all():
            signed_in.add_metric([it.email], int(it.state != "sign_in_again"))
            is_ok.add_metric([it.email], int(status_of(self._app, it, self._now)[0] == "ok"))
            queued.add_metric([it.email], it.queued)
            if it.last_good_pass is not None:
                # Not negative after the clock was set back.
                age.add_metric([it.email], max(0.0, (self._now - it.last_good_pass).total_seconds()))
        yield from (signed_in, is_ok, queued, age)

    def _of_gate(self) -> Metric:
        family = CounterMetricFamily(
            "buyerblock_gate_recipients",
            "Recipients of mail at the gate, since it was set up.",
            labels=["outcome"],
        )
        counts = GateRecord(self._app.database).read().counts
        for outcome in OUTCOMES:
            family.add_metric([outcome], counts.get(outcome, 0))
        return family

    def _counted(self) -> Iterator[Metric]:
        counted = self._app.passes.counted()
        for what, (name, label, meaning) in _COUNTERS.items():
            family = CounterMetricFamily(name, meaning, labels=[label] if label else [])
            for (kind, which), number in counted.items():
                if kind == what:
                    family.add_metric([which] if label else [], number)
            yield family


def _by_account(name: str, meaning: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=["account"])
