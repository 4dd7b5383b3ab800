"""Counters that all workers of a host share, for its metrics."""

from collections.abc import Mapping

from worker.database.postgres_pool import Pool

_ADD = """
    INSERT INTO tallies SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
    ON CONFLICT (what, which) DO UPDATE SET number = tallies.number + excluded.number
"""


def tally(pool: Pool, counts: Mapping[tuple[str, str], int]) -> None:
    """Add to the counters. counts: by name and label, such as ("passes", "good"). Raises StorageError."""
    if rows := sorted((what, which, number) for (what, which), number in counts.items() if number):
        columns = [list(it) for it in zip(*rows, strict=True)]
        pool.run(lambda connection: connection.execute(_ADD, columns))


def tallies(pool: Pool) -> dict[tuple[str, str], int]:
    """Return the counters of all workers by name and label. Raises StorageError."""
    rows = pool.run(
        lambda connection: connection.execute("SELECT what, which, number FROM tallies").fetchall()
    )
    return {(what, which): number for what, which, number in rows}
