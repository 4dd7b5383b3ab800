"""Rate limits: how often a stranger may try."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from worker.clock import is_due

MOST_VISITORS = 10_000  # remembered at once; the oldest go first


class Limit:
    """At most so many tries in any stretch of time, counted for each visitor."""

    def __init__(self, most: int, every: timedelta, now: Callable[[], datetime]) -> None:
        self._most = most
        self._every = every
        self._now = now
        self._lock = Lock()
        self._tries: dict[str, deque[datetime]] = {}

    def allows(self, visitor: str) -> bool:
        """Count a try and return whether it is allowed; refused tries do not count."""
        now = self._now()
        with self._lock:
            tries = self._tries.setdefault(visitor, deque())
            while tries and is_due(tries[0], self._every, now):
                tries.popleft()
            if len(tries) >= self._most:
                return False
            tries.append(now)
            while len(self._tries) > MOST_VISITORS:
                del self._tries[next(iter(self._tries))]
            return True
