"""Rate limits: how often one visitor, or one program, may ask."""

from collections.abc import Callable
from threading import Lock
from typing import Protocol

MAX_CALLERS = 10_000  # remembered at once; the oldest go first


class Limit(Protocol):
    """How many requests of one caller may come in a burst, and in each such stretch of time."""

    def wait(self, caller: str) -> float:
        """Count a request; return 0, or for how many seconds it is refused. Refused ones do not count."""


class RateLimit:
    """A limit of one process: a leaky bucket for each caller, kept as one number: when it will be empty again.

    most: requests that may come in one burst, and in each such stretch of seconds. monotonic: seconds that never run
    backwards.
    """

    def __init__(self, most: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._each = seconds / most
        self._monotonic = monotonic
        self._lock = Lock()
        self._empty_at: dict[str, float] = {}

    def wait(self, caller: str) -> float:
        with self._lock:
            now = self._monotonic()
            empty_at = max(now, self._empty_at.get(caller, now)) + self._each
            wait = empty_at - now - self._seconds
            # Less than a microsecond is a rounding error of the sums above.
            if wait > 1e-6:
                return wait
            self._empty_at[caller] = empty_at
            if len(self._empty_at) > MAX_CALLERS:
                del self._empty_at[next(iter(self._empty_at))]
            return 0.0
