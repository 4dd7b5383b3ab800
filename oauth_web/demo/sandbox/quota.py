"""Google's two limits per user: quota units in a minute, and requests in flight.

The prices are Google's (developers.google.com/workspace/gmail/api/reference/quota, May 2026). Unknown, and chosen
strictly: the minute is a sliding window; failed calls are charged. A call refused for quota is not charged.
"""

import threading
from collections import Counter, deque
from dataclasses import dataclass, field

from oauth_web.demo.sandbox.clock import Clock
from oauth_web.demo.sandbox.refusals import Refusal, stamp

WINDOW = 60.0

# A copy of the program's own table on purpose, so that tests find a wrong price there.
PRICES = {
    "getProfile": 1,
    "labels.list": 1,
    "labels.get": 1,
    "labels.create": 5,
    "labels.update": 5,
    "labels.patch": 5,
    "labels.delete": 5,
    "messages.list": 5,
    "messages.get": 20,
    "messages.modify": 5,
    "messages.batchModify": 50,
    "messages.insert": 25,  # not in Google's table
    "messages.trash": 5,
    "messages.untrash": 5,
    "messages.attachments.get": 20,
    "threads.list": 10,
    "threads.get": 40,
    "history.list": 2,
    "settings.filters.list": 1,
    "settings.filters.get": 1,
    "settings.filters.create": 5,
    "settings.filters.delete": 5,
    "settings.forwardingAddresses.list": 1,
    "settings.forwardingAddresses.get": 1,
    "settings.sendAs.list": 1,
    "settings.sendAs.get": 1,
}

_UNKNOWN_PRICE = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded call. units: 0 if it was refused for quota. time: in epoch seconds."""

    method: str
    units: int
    status: int
    time: float


@dataclass(slots=True)
class _Account:
    window: deque[tuple[float, int]] = field(default_factory=deque)
    spent_in_window: int = 0
    units: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    calls: list[Call] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)


class Quota:
    """The quota of every user, and the recorded calls.

    allowance: units per 60 seconds and user; None for no limit.
    concurrency: requests in flight per user; None for no limit.
    refuse_as: status and reason of a quota refusal. Google uses (403, "rateLimitExceeded"),
        (403, "userRateLimitExceeded") and (429, "rateLimitExceeded").
    """

    def __init__(self, clock: Clock, *, allowance: int | None = 6000, concurrency: int | None = 20) -> None:
        self.allowance = allowance
        self.concurrency = concurrency
        self.refuse_as: tuple[int, str] = (403, "userRateLimitExceeded")
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}

    def enter(self, email: str) -> None:
        """Count a request in flight. Raises Refusal if there are too many; else call ``leave`` at its end."""
        with self._lock:
            account = self._account(email)
            if self.concurrency is not None and account.in_flight >= self.concurrency:
                account.refusals["concurrency"] += 1
                raise Refusal(429, "Too many concurrent requests for user", "rateLimitExceeded")
            account.in_flight += 1
            account.most_in_flight = max(account.most_in_flight, account.in_flight)

    def leave(self, email: str) -> None:
        with self._lock:
            self._account(email).in_flight -= 1

    def spend(self, email: str, method: str) -> int:
        """Charge a call and return its price. Raises Refusal and charges nothing if the quota is spent."""
        price = PRICES.get(method, _UNKNOWN_PRICE)
        now = self._clock.now().timestamp()
        with self._lock:
            account = self._account(email)
            while account.window and account.window[0][0] <= now - WINDOW:
                account.spent_in_window -= account.window.popleft()[1]
            if self.allowance is not None and account.spent_in_window + price > self.allowance:
                account.refusals["quota"] += 1
                raise self._refusal(account, price, self.allowance)
            account.window.append((now, price))
            account.spent_in_window += price
            account.units += price
        return price

    def record(self, email: str, method: str, units: int, status: int) -> None:
        """Record a call."""
        call = Call(method, units, status, self._clock.now().timestamp())
        with self._lock:
            self._account(email).calls.append(call)

    def calls(self, email: str) -> list[Call]:
        with self._lock:
            return list(self._account(email).calls)

    def units(self, email: str) -> int:
        """Return the sum of all units that the user has spent."""
        with self._lock:
            return self._account(email).units

    def refusals(self, email: str) -> dict[str, int]:
        """Return the number of refusals for "quota" and for "concurrency"."""
        with self._lock:
            return dict(self._account(email).refusals)

    def most_in_flight(self, email: str) -> int:
        with self._lock:
            return self._account(email).most_in_flight

    def _account(self, email: str) -> _Account:
        return self._accounts.setdefault(email, _Account())

    def _refusal(self, account: _Account, price: int, allowance: int) -> Refusal:
        """Return a refusal with the time when the quota allows this price."""
        excess = account.spent_in_window + price - allowance
        allowed_at = self._clock.now().timestamp()
        for moment, units in account.window:
            excess -= units
            if excess <= 0:
                allowed_at = moment + WINDOW
                break
        code, reason = self.refuse_as
        return Refusal(code, f"User-rate limit exceeded.  Retry after {stamp(allowed_at)}", reason)
