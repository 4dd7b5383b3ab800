"""Rate limits for visitors and programs."""

from collections.abc import Callable
from threading import Lock
from typing import Protocol

MAX_CALLERS = 10_000  # in memory; the oldest are dropped first


class Limit(Protocol):
    """A rate limit for each caller."""

    def wait(self, caller: str) -> float:
        """Count a request; return 0, or the seconds until the next is allowed. Refused requests are not counted."""


class RateLimit:
    """A rate limit within one process: a leaky bucket for each caller, stored as the time at which it is empty.

    most: requests allowed in one burst, and in each period of so many seconds. monotonic: returns seconds of a
    monotonic clock.
    """

    def __init__(self, most: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._leak = seconds / most
        self._monotonic = monotonic
        self._lock = Lock()
        self._empty_at: dict[str, float] = {}

    def wait(self, caller: str) -> float:
        with self._lock:
            now = self._monotonic()
            empty_at = max(now, self._empty_at.get(caller, now)) + self._leak
            wait = empty_at - now - self._seconds
            # Less than a microsecond is a rounding error of the sums above.
            if wait > 1e-6:
                return wait
            self._empty_at[caller] = empty_at
            if len(self._empty_at) > MAX_CALLERS:
                del self._empty_at[next(iter(self._empty_at))]
            return 0.0
