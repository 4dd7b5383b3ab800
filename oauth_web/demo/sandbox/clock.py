"""Time, as the sandbox sees it: the real one, or one that a test moves by hand.

The protocol is a part of the program's own, so that a test can give one clock to both.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the sandbox needs of time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    def pause(self, seconds: float) -> None:
        """Come back ``seconds`` later."""


class RealClock:
    """The computer's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


class VirtualClock:
    """Time that does not move until somebody pauses or advances it; safe to share between threads.

    A pause returns at once and moves the time for everyone, so a test with a virtual clock never
    waits. Pauses of several threads at once add up.
    """

    def __init__(self, start: datetime = datetime(2026, 11, 23, 10, tzinfo=UTC)) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def pause(self, seconds: float) -> None:
        self.advance(max(seconds, 0.0))

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds
