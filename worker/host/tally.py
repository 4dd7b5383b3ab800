"""What all workers of a host have counted, for its metrics."""

from collections.abc import Mapping

from worker.database.postgres_pool import Pool

_ADD = """
    INSERT INTO tallies SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
    ON CONFLICT (what, which) DO UPDATE SET number = tallies.number + excluded.number
"""


def tally(pool: Pool, counts: Mapping[tuple[str, str], int]) -> None:
    """Add to the counts. counts: by what, and which, such as ("passes", "good"). Raises StorageError."""
    if some := sorted((what, which, number) for (what, which), number in counts.items() if number):
        columns = [list(it) for it in zip(*some, strict=True)]
        pool.run(lambda connection: connection.execute(_ADD, columns))


def tallies(pool: Pool) -> dict[tuple[str, str], int]:
    """Return the counts of all workers. Raises StorageError."""
    rows = pool.run(
        lambda connection: connection.execute("SELECT what, which, number FROM tallies").fetchall()
    )
    return {(what, which): number for what, which, number in rows}
