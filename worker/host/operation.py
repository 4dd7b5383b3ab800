"""How a host does: figures for Prometheus and for ``host status``, and new keys for what is sealed."""

from collections.abc import Iterator
from math import ceil
from typing import Any, NamedTuple

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from worker.database import Database
from worker.database.postgres_pool import Pool
from worker.database.schema import TABLES
from worker.host.jobs import QUEUES
from worker.host.tally import tallies
from worker.host.tenants import Tenants
from worker.sealing import Sealer

BUSIEST = 20  # tenants that the metrics name
_FIGURES = """
    SELECT (SELECT count(*) FROM tenants WHERE owner <> ''), count(*), count(*) FILTER (WHERE next_look IS NULL),
        count(*) FILTER (WHERE next_look <= now()),
        count(*) FILTER (WHERE next_look <= now() - interval '1 minute'),
        count(*) FILTER (WHERE good_at > now() - interval '1 minute') / 60.0,
        greatest(0, extract(epoch FROM now() - min(next_look)))::float8,
        (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds')
    FROM looks
"""
_IN_LINE = "SELECT task_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2 ORDER BY 1, 2"


class Figures(NamedTuple):
    """How a host does right now.

    no_sign_in: mailboxes whose owner has to sign in again. due: to be looked at now; late: for more than a minute.
    looks_a_second: good ones, of the last minute. oldest: seconds since the mailbox was due that waits longest.
    workers: processes that have shown a sign of life. in_line: jobs by name and
    state, ``todo`` or ``doing``.
    """

    tenants: int
    mailboxes: int
    no_sign_in: int
    due: int
    late: int
    looks_a_second: float
    oldest: float
    workers: int
    in_line: dict[tuple[str, str], int]


def figures(pool: Pool) -> Figures:
    """Return how the host does. Raises StorageError."""

    def ask(connection: Any) -> tuple[list[Any], list[Any]]:
        return connection.execute(_FIGURES).fetchall(), connection.execute(_IN_LINE).fetchall()

    ((row,), jobs) = pool.run(ask)
    sellers, mailboxes, no_sign_in, due, late, rate, oldest, workers = row
    in_line = {(task, state): number for task, state, number in jobs}
    return Figures(
        sellers,
        mailboxes,
        no_sign_in,
        due,
        late,
        round(float(rate), 2),
        oldest or 0.0,
        ceil(workers / len(QUEUES)),  # a process has a worker of Procrastinate's for each
        in_line,
    )


def metrics(tenants: Tenants) -> bytes:
    """Return the figures as Prometheus reads them, and what all workers have counted. Raises StorageError."""
    return generate_latest(_Numbers(figures(tenants.pool), tallies(tenants.pool)))


class _Numbers(Collector):
    def __init__(self, found: Figures, counted: dict[tuple[str, str], int]) -> None:
        self._found = found
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        found = self._found
        for name, meaning, value in (
            ("tenants", "Sellers.", found.tenants),
            ("mailboxes", "Connected mailboxes.", found.mailboxes),
            ("no_sign_in", "Mailboxes whose owner has to sign in again.", found.no_sign_in),
            ("due", "Mailboxes that are to be looked at now.", found.due),
            ("late", "Mailboxes that have been due for more than a minute.", found.late),
            ("looks_a_second", "Looks that found nothing to do, over the last minute.", found.looks_a_second),
            ("oldest_seconds", "Time since the mailbox was due that waits longest.", found.oldest),
            ("workers", "Workers that have shown a sign of life.", found.workers),
        ):
            yield GaugeMetricFamily(f"buyerblock_host_{name}", meaning, value)
        jobs = GaugeMetricFamily("buyerblock_host_jobs", "Jobs by state.", labels=["job", "state"])
        for names, number in found.in_line.items():
            jobs.add_metric(list(names), number)
        yield jobs
        yield from self._counters()

    def _counters(self) -> Iterator[Metric]:
        units = sorted(self._of("units"), key=lambda it: -it[1])[:BUSIEST]
        for name, label, meaning, some in (
            ("looks", "", "Looks that found nothing to do.", self._of("looks")),
            ("passes", "outcome", "Passes that have ended.", self._of("passes")),
            (
                "quota_units",
                "tenant",
                "Units of Gmail's quota that passes have spent, of the busiest.",
                units,
            ),
        ):
            family = CounterMetricFamily(f"buyerblock_host_{name}", meaning, labels=[label] if label else [])
            for which, number in some:
                family.add_metric([which] if label else [], number)
            yield family

    def _of(self, what: str) -> list[tuple[str, int]]:
        return [(which, number) for (kind, which), number in self._counted.items() if kind == what]


def reseal(tenants: Tenants) -> int:
    """Seal everything with the first of the keys; return how many records hold something sealed.

    Afterwards the others can be taken away. Access tokens are left out: they end within the hour. Raises StorageError.
    """
    parts = [tenants.own, *(tenants.app(tenant).database for tenant in tenants.all())]
    return sum(reseal_database(part, tenants.sealer) for part in parts)


def reseal_database(database: Database, sealer: Sealer) -> int:
    """Seal what one of the sealer's keys opens with the first of them; return how many records hold such a thing."""
    changed = 0
    for table in TABLES:
        documents = database.documents(table)
        sealed = [str(it.doc_id) for it in documents.walk() if sealer.resealed(dict(it)) != it]
        for key in sealed:
            with database.together():
                if (document := documents.find(key)) is not None:
                    documents.put({key: sealer.resealed(dict(document))})
        changed += len(sealed)
    return changed
