"""Google's two speed limits for each user: units in a minute, and requests at once.

Prices are Google's own (developers.google.com/workspace/gmail/api/reference/quota, May 2026).
Not known, and chosen on the strict side: the minute is a sliding window, so that any 60 seconds
count; calls that fail are charged. A call refused for speed is not charged.
"""

import threading
from collections import Counter, deque
from dataclasses import dataclass, field

from oauth_web.demo.sandbox.clock import Clock
from oauth_web.demo.sandbox.refusals import Refusal, stamp

WINDOW = 60.0

# Written down here once more, apart from the program's own table, so that a wrong price there shows.
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

_DEAREST = 100  # for a method whose price is not written down


@dataclass(frozen=True, slots=True)
class Call:
    """One line of a user's ledger; ``units`` is 0 where the call was refused for speed; ``time`` in epoch seconds."""

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
    """The allowance of every user, and the ledger of what they spent.

    allowance: units in 60 seconds and user; None counts without refusing.
    concurrency: requests of a user in flight at once; None counts without refusing.
    refuse_as: status and reason of a quota refusal. Google is seen to use (403, "rateLimitExceeded"),
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
        """Take a place among the user's requests in flight, or raise Refusal."""
        with self._lock:
            account = self._account(email)
            if self.concurrency is not None and account.in_flight >= self.concurrency:
                account.refusals["concurrency"] += 1
                raise Refusal(429, "Too many concurrent requests for user", "rateLimitExceeded")
            account.in_flight += 1
            account.most_in_flight = max(account.most_in_flight, account.in_flight)

    def leave(self, email: str) -> None:
        """Give the place back."""
        with self._lock:
            self._account(email).in_flight -= 1

    def spend(self, email: str, method: str) -> int:
        """Charge a call and return its price, or raise Refusal and charge nothing."""
        price = PRICES.get(method, _DEAREST)
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
        """Write a line into the ledger."""
        call = Call(method, units, status, self._clock.now().timestamp())
        with self._lock:
            self._account(email).calls.append(call)

    def calls(self, email: str) -> list[Call]:
        with self._lock:
            return list(self._account(email).calls)

    def units(self, email: str) -> int:
        """Return all units that the user ever spent."""
        with self._lock:
            return self._account(email).units

    def refusals(self, email: str) -> dict[str, int]:
        """Return how many calls were refused for "quota" and for "concurrency"."""
        with self._lock:
            return dict(self._account(email).refusals)

    def most_in_flight(self, email: str) -> int:
        with self._lock:
            return self._account(email).most_in_flight

    def _account(self, email: str) -> _Account:
        return self._accounts.setdefault(email, _Account())

    def _refusal(self, account: _Account, price: int, allowance: int) -> Refusal:
        """Say when there will be room for the price."""
        excess = account.spent_in_window + price - allowance
        room_at = self._clock.now().timestamp()
        for moment, units in account.window:
            excess -= units
            if excess <= 0:
                room_at = moment + WINDOW
                break
        code, reason = self.refuse_as
        return Refusal(code, f"User-rate limit exceeded.  Retry after {stamp(room_at)}", reason)
