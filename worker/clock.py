"""Time as an argument: the engine asks a clock, so that tests need no sleep and a stop needs no wait."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from worker.errors import StoppedError


class Clock(Protocol):
    """Where the engine gets its time from."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""

    def pause(self, seconds: float) -> None:
        """Wait this long. Raises StoppedError at once when the program is asked to stop."""

    def stop(self) -> None:
        """End all pauses, those to come included."""


class SystemClock:
    """The machine's clock; its pauses end when ``stop`` is called, from any thread."""

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


# A clock that was set back must not keep anybody waiting until it is there again. So where the moment cannot be right,
# both say yes.


def is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Return whether something that was last done then has to be done again."""
    return last is None or not timedelta() <= now - last < every


def has_come(moment: datetime, longest: timedelta, now: datetime) -> bool:
    """Return whether a moment is there that was set at most so far ahead."""
    return not timedelta() < moment - now <= longest


def wait_after(failures: int, first: timedelta, longest: timedelta) -> timedelta:
    """Return how long to wait after so many failures in a row: each time twice as long. failures: 0 for the first."""
    # Twenty doublings of a second are twelve days; more would only overflow.
    return min(first * (1 << min(failures, 20)), longest)
