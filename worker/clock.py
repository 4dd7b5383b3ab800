"""Time as an argument: with a clock of their own, tests need no sleep; a stop ends every wait at once."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from worker.errors import StoppedError


class Clock(Protocol):
    """The source of time for the engine."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""

    def pause(self, seconds: float) -> None:
        """Wait. Raises StoppedError at once when ``stop`` is called."""

    def stop(self) -> None:
        """End all current and future pauses; may be called from any thread."""


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        if self._stopping.wait(max(0.0, seconds)):
            raise StoppedError("The program is stopping.")

    def stop(self) -> None:
        self._stopping.set()


# After the clock was set back, nothing must wait until the old time comes again. So both functions return True for an
# impossible time.


def is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Return whether a periodic task is due again. last: its last run."""
    return last is None or not timedelta() <= now - last < every


def has_come(moment: datetime, longest: timedelta, now: datetime) -> bool:
    """Return whether a planned time has come. longest: the longest wait that is planned."""
    return not timedelta() < moment - now <= longest


def wait_after(failures: int, first: timedelta, longest: timedelta) -> timedelta:
    """Return the wait after a failure, with exponential backoff. failures: the number of earlier failures in a row."""
    # 2**20 seconds are twelve days; more could overflow.
    return min(first * (1 << min(failures, 20)), longest)
