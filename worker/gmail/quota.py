"""Gmail's quota: the price of each call, and waiting until it may start.

The limit counts units per user in a sliding minute. Google charges a call at some time between its start and its
answer. So here it counts from its start until one minute after its answer: then no window of Google's exceeds the
allowance, even on a slow network.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from worker.clock import Clock
from worker.errors import QuotaError
from worker.problems import Cause

# developers.google.com/workspace/gmail/api/reference/quota, as of May 2026.
PRICES = {
    "users.getProfile": 1,
    "users.labels.list": 1,
    "users.labels.get": 1,
    "users.labels.create": 5,
    "users.labels.delete": 5,
    "users.messages.list": 5,
    "users.messages.get": 20,
    "users.messages.modify": 5,
    "users.messages.batchModify": 50,
    "users.messages.insert": 25,  # not in Google's table
    "users.threads.get": 40,
    "users.settings.filters.list": 1,
    "users.settings.filters.create": 5,
    "users.settings.filters.delete": 5,
    "users.settings.forwardingAddresses.list": 1,
    "users.settings.sendAs.list": 1,
}
WINDOW = 60.0
# Some accounts allow 4 requests in flight, all allow 2; more than 10 are not faster at these prices.
MAX_IN_FLIGHT = 10
FIRST_IN_FLIGHT = 4
# Seconds. If Google asks for a longer wait, the pass ends and reports it.
MAX_STATED_WAIT = 640.0
# Seconds. A wait for another call checks for a stop at this interval.
MAX_UNINTERRUPTIBLE_WAIT = 0.05


class Quota:
    """One account's allowance, shared by all threads that call Gmail for it.

    allowance: units a minute. spent: units charged since the start. refused: how often Google said "too fast".
    """

    def __init__(self, units_per_minute: int, clock: Clock) -> None:
        self.spent = 0
        self.refused = 0
        self.allowance = units_per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._answer = threading.Condition(self._lock)
        # Only one thread at a time waits for quota. Otherwise cheap calls could starve an expensive one.
        self._waiting_for_quota = threading.Lock()
        self._closed_until = 0.0
        self._in_flight = 0
        self._in_flight_units = 0
        self._max_in_flight = float(FIRST_IN_FLIGHT)
        self._answered: deque[tuple[float, int]] = deque()  # (when it leaves the window, units)
        self._answered_units = 0

    @contextmanager
    def spend(self, method: str) -> Iterator[None]:
        """Wait until a call of this method may start, and charge it.

        Raises StoppedError while waiting, and QuotaError if Google asked for a wait longer than MAX_STATED_WAIT.
        """
        units = PRICES[method]
        with self._waiting_for_quota:
            while (wait := self._try_to_start(units)) is not None:
                self._clock.pause(wait)
        try:
            yield
        finally:
            self._finish(units)

    def record_refusal(self, refusal: QuotaError) -> None:
        """Count a refusal, and apply it to all threads.

        A refusal for concurrency halves the requests in flight. After one with a retry time, no call starts before it.
        """
        with self._lock:
            self.refused += 1
            if refusal.concurrent:
                self._max_in_flight = max(1.0, self._max_in_flight / 2)
            if refusal.retry_after:
                until = self._clock.monotonic() + refusal.retry_after
                self._closed_until = max(self._closed_until, until)

    def left(self) -> int:
        """Return how many units may be spent right now."""
        with self._lock:
            self._drop_old(self._clock.monotonic())
            return self.allowance - self._in_flight_units - self._answered_units

    def _try_to_start(self, units: int) -> float | None:
        """Start the call and return None, or return the seconds to wait before the next try."""
        with self._lock:
            now = self._clock.monotonic()
            self._drop_old(now)
            if (closed := self._closed_until - now) > MAX_STATED_WAIT:
                until = self._clock.now() + timedelta(seconds=closed)
                raise QuotaError(Cause.WAIT_UNTIL, retry_after=closed, until=f"{until:%Y-%m-%d, %H:%M}")
            if closed > 0:
                return closed
            if self._in_flight >= int(self._max_in_flight):
                return self._wait_for_answer()
            if self._in_flight_units + self._answered_units + units > self.allowance:
                # Without answered calls, the calls in flight use the whole allowance: they end soon.
                return self._answered[0][0] - now if self._answered else self._wait_for_answer()
            self._in_flight += 1
            self._in_flight_units += units
            self.spent += units
            return None

    def _wait_for_answer(self) -> float:
        self._answer.wait(MAX_UNINTERRUPTIBLE_WAIT)
        return 0.0

    def _drop_old(self, now: float) -> None:
        while self._answered and self._answered[0][0] <= now:
            self._answered_units -= self._answered.popleft()[1]

    def _finish(self, units: int) -> None:
        with self._lock:
            self._in_flight -= 1
            self._in_flight_units -= units
            self._answered.append((self._clock.monotonic() + WINDOW, units))
            self._answered_units += units
            # Additive increase: one more in flight after ten full rounds.
            self._max_in_flight = min(MAX_IN_FLIGHT, self._max_in_flight + 1 / (10 * self._max_in_flight))
            self._answer.notify_all()
