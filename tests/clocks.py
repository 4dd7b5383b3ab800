"""A clock for tests: it moves only when somebody waits or a test moves it."""

import threading
from datetime import UTC, datetime, timedelta

from worker.errors import StoppedError

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class FakeClock:
    """Implements the Clock of ``worker.clock``; a pause moves the time to its end at once."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()
        self.stopped = False

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def pause(self, seconds: float) -> None:
        if self.stopped:
            raise StoppedError("The program is stopping.")
        self.advance(seconds)

    def stop(self) -> None:
        self.stopped = True

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds
