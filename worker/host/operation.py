"""Statistics of a host for Prometheus and ``host status``, and key rotation."""

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

BUSIEST = 20  # tenants with a metric of their own
_STATISTICS = """
    SELECT (SELECT count(*) FROM tenants WHERE owner <> ''), count(*), count(*) FILTER (WHERE next_look IS NULL),
        count(*) FILTER (WHERE next_look <= now()),
        count(*) FILTER (WHERE next_look <= now() - interval '1 minute'),
        count(*) FILTER (WHERE good_at > now() - interval '1 minute') / 60.0,
        greatest(0, extract(epoch FROM now() - min(next_look)))::float8,
        (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds')
    FROM looks
"""
_QUEUED = "SELECT task_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2 ORDER BY 1, 2"


class Statistics(NamedTuple):
    """The current statistics of a host.

    no_sign_in: mailboxes whose owner has to sign in again. due: mailboxes to look at now. late: due for more than a
    minute. looks_a_second: good looks of the last minute. oldest: seconds that the longest waiting mailbox has been
    due. workers: processes with a recent heartbeat. in_line: queued jobs by name and state, ``todo`` or ``doing``.
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


def statistics(pool: Pool) -> Statistics:
    """Return the current statistics. Raises StorageError."""

    def query(connection: Any) -> tuple[list[Any], list[Any]]:
        return connection.execute(_STATISTICS).fetchall(), connection.execute(_QUEUED).fetchall()

    ((row,), jobs) = pool.run(query)
    sellers, mailboxes, no_sign_in, due, late, rate, oldest, workers = row
    in_line = {(task, state): number for task, state, number in jobs}
    return Statistics(
        sellers,
        mailboxes,
        no_sign_in,
        due,
        late,
        round(float(rate), 2),
        oldest or 0.0,
        ceil(workers / len(QUEUES)),  # each process runs one Procrastinate worker per queue
        in_line,
    )


def metrics(tenants: Tenants) -> bytes:
    """Return the statistics and the counters of all workers in Prometheus' text format. Raises StorageError."""
    return generate_latest(_HostCollector(statistics(tenants.pool), tallies(tenants.pool)))


class _HostCollector(Collector):
    def __init__(self, found: Statistics, counted: dict[tuple[str, str], int]) -> None:
        self._found = found
        self._tallies = counted

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
        units = sorted(self._counts("units"), key=lambda it: -it[1])[:BUSIEST]
        for name, label, meaning, counts in (
            ("looks", "", "Looks that found nothing to do.", self._counts("looks")),
            ("passes", "outcome", "Passes that have ended.", self._counts("passes")),
            (
                "quota_units",
                "tenant",
                "Units of Gmail's quota that passes have spent, of the busiest.",
                units,
            ),
        ):
            family = CounterMetricFamily(f"buyerblock_host_{name}", meaning, labels=[label] if label else [])
            for which, number in counts:
                family.add_metric([which] if label else [], number)
            yield family

    def _counts(self, what: str) -> list[tuple[str, int]]:
        return [(which, number) for (kind, which), number in self._tallies.items() if kind == what]


def reseal(tenants: Tenants) -> int:
    """Encrypt all secrets with the first key; return how many records were changed.

    Afterwards the other keys are not needed. Access tokens are left out: they expire within an hour. Raises
    StorageError.
    """
    databases = [tenants.host_database, *(tenants.app(tenant).database for tenant in tenants.all())]
    return sum(reseal_database(it, tenants.sealer) for it in databases)


def reseal_database(database: Database, sealer: Sealer) -> int:
    """Encrypt the secrets of a database with the sealer's first key; return how many records were changed."""
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
