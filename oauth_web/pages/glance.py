"""How things stand, for whoever may ask and as often as they like."""

from collections.abc import Callable
from threading import Lock

from worker.operation.health import Health

KEPT_FOR = 5.0  # seconds


class Glance:
    """A look at the health that is kept for some seconds: each one writes to the disk, and anybody may ask.

    now: seconds of a clock that is never set.
    """

    def __init__(self, look: Callable[[], Health], now: Callable[[], float]) -> None:
        self._look = look
        self._now = now
        self._lock = Lock()
        self._kept: tuple[float, Health] | None = None

    def health(self) -> Health:
        """Return how things stand, or stood a moment ago."""
        with self._lock:
            if self._kept is None or self._now() - self._kept[0] >= KEPT_FOR:
                self._kept = (self._now(), self._look())
            return self._kept[1]
