"""How often one caller may ask."""

from collections.abc import Callable
from threading import Lock

PER_MINUTE = 600

_EVERY = 60 / PER_MINUTE  # seconds
_AT_ONCE = 60.0  # seconds' worth of requests that may come in one burst


class Rate:
    """A leaky bucket for each caller, kept as one number: when it will be empty again.

    Callers are known ones, so there are never many. monotonic: seconds that never run backwards.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._empty_at: dict[str, float] = {}

    def take(self, caller: str) -> float:
        """Count a request; return 0, or for how many seconds it is refused. Refused ones do not count."""
        with self._lock:
            now = self._monotonic()
            empty_at = max(now, self._empty_at.get(caller, now)) + _EVERY
            wait = empty_at - now - _AT_ONCE
            # Less than a microsecond is a rounding error of the sums above.
            if wait > 1e-6:
                return wait
            self._empty_at[caller] = empty_at
            return 0.0
