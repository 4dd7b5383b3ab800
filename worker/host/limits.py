"""Rate limits that all web processes of a host count together, by the database's clock."""

from itertools import count

from worker.database.postgres_pool import Connection, Pool
from worker.sealing import digest_of

_COUNT = """
    INSERT INTO limits AS known (caller, empty_at) VALUES (%(caller)s, now() + %(each)s * interval '1 second')
    ON CONFLICT (caller) DO UPDATE
    SET empty_at = greatest(known.empty_at, now()) + %(each)s * interval '1 second'
    WHERE greatest(known.empty_at, now()) + (%(each)s - %(seconds)s) * interval '1 second' <= now()
    RETURNING 0.0
"""
_WAIT = "SELECT extract(epoch FROM empty_at - now())::float8 FROM limits WHERE caller = %(caller)s"
_SWEEP = "DELETE FROM limits WHERE empty_at < now()"
_SWEPT_EVERY = 1000  # requests of a process


class SharedLimit:
    """A leaky bucket for each caller: the moment at which it will be empty again.

    name: keeps callers of several limits apart. most: requests that may come in one burst, and in each such
    stretch of seconds.
    """

    def __init__(self, pool: Pool, name: str, most: int, seconds: float) -> None:
        self._pool = pool
        self._name = name
        self._seconds = float(seconds)
        self._each = seconds / most
        self._counted = count(1)

    def wait(self, caller: str) -> float:
        """Count a request; return 0, or for how many seconds it is refused. Refused ones do not count."""
        # As digests, which can always be stored: callers name themselves.
        key = digest_of(f"{self._name} {caller}")
        found = {"caller": key, "each": self._each, "seconds": self._seconds}

        def counted(connection: Connection) -> float:
            if next(self._counted) % _SWEPT_EVERY == 0:
                connection.execute(_SWEEP)
            if connection.execute(_COUNT, found).fetchall():
                return 0.0
            left = connection.execute(_WAIT, found).fetchall()
            return max(float(left[0][0]) + self._each - self._seconds, 0.001) if left else self._each

        return self._pool.run(counted)
