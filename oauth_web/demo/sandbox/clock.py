"""The sandbox's clock: the real one, or one that a test advances.

The protocol is a part of the program's own, so that a test can use one clock for both.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The source of time for the sandbox."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def pause(self, seconds: float) -> None:
        """Wait."""


class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


class VirtualClock:
    """A clock that only ``pause`` and ``advance`` move; thread-safe.

    A pause returns at once and advances the time, so a test never waits. Simultaneous pauses of several threads add up.
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
