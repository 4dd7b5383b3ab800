"""Rate limits shared by all web processes of a host. They use the database's clock."""

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
_DELETE_EMPTY = "DELETE FROM limits WHERE empty_at < now()"
_DELETE_EVERY = 1000  # requests of a process


class SharedLimit:
    """A leaky bucket for each caller, stored as the time at which it is empty.

    name: separates the callers of different limits. most: requests allowed in one burst, and in each period of so many
    seconds.
    """

    def __init__(self, pool: Pool, name: str, most: int, seconds: float) -> None:
        self._pool = pool
        self._name = name
        self._seconds = float(seconds)
        self._leak = seconds / most
        self._requests = count(1)

    def wait(self, caller: str) -> float:
        """Count a request; return 0, or the seconds until the next is allowed. Refused requests are not counted."""
        # A digest can always be stored; the caller's text comes from the request.
        key = digest_of(f"{self._name} {caller}")
        parameters = {"caller": key, "each": self._leak, "seconds": self._seconds}

        def counted(connection: Connection) -> float:
            if next(self._requests) % _DELETE_EVERY == 0:
                connection.execute(_DELETE_EMPTY)
            if connection.execute(_COUNT, parameters).fetchall():
                return 0.0
            left = connection.execute(_WAIT, parameters).fetchall()
            return max(float(left[0][0]) + self._leak - self._seconds, 0.001) if left else self._leak

        return self._pool.run(counted)
