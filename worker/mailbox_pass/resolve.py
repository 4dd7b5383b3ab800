"""Find the buyer's address for blocks that have only an order ID, by searching the mailbox."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from worker.clock import has_come, is_due
from worker.database import parse_time
from worker.gmail.quota import PRICES
from worker.mailbox_pass.context import Context
from worker.notices.buyers import buyer_of

# Usual mail about an order: a confirmation, a question and an answer. Reading more only costs quota.
MAX_READ = 3
RESOLVE_EVERY = timedelta(minutes=1)
# Waits after the first failure, the second and so on: the buyer may write only weeks later, or never.
WAITS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=4), timedelta(days=16))
QUOTA_SHARE = 10  # one tenth of the quota
_COST = PRICES["users.messages.list"] + MAX_READ * PRICES["users.messages.get"]


class Resolver:
    """Resolves one account's orders, a few a minute."""

    def __init__(self, context: Context) -> None:
        self._email = context.email
        self._mailbox = context.mailbox
        self._accounts = context.accounts
        self._block_list = context.block_list
        self._failures = context.database.documents("unresolved")
        self._failures.expect(_expect)
        self._max_per_minute = max(1, context.mailbox.quota.allowance // QUOTA_SHARE // _COST)
        self._clock = context.clock
        self._last_run: datetime | None = None

    def resolve_some(self) -> int:
        """Try the orders that are due, within a tenth of the quota; return how many were resolved.

        Raises the errors of Mailbox and BlockList.
        """
        now = self._clock.now()
        if not is_due(self._last_run, RESOLVE_EVERY, now):
            return 0
        due = self._due(now)[: self._max_per_minute]
        # Never wait for quota here: new mail would wait too.
        if not due or self._mailbox.quota.left() < len(due) * _COST:
            return 0
        self._last_run = now
        return sum(self._resolve(order_id, now) for order_id in due)

    def _due(self, now: datetime) -> list[str]:
        addresses = {self._email, *self._accounts.get(self._email).formerly}
        blocks = (
            block for block in self._block_list.unresolved() if not addresses.isdisjoint(block.accounts)
        )
        orders = [order_id for block in blocks for order_id in block.orders]
        failures = self._failures.find_many(map(self._key, orders))
        waiting = {
            key for key, it in failures.items() if not has_come(parse_time(it["next_try"]), WAITS[-1], now)
        }
        return [it for it in orders if self._key(it) not in waiting]

    def _resolve(self, order_id: str, now: datetime) -> bool:
        key = self._key(order_id)
        if (address := self._search(order_id)) is None:
            tries = (self._failures.find(key) or {"tries": 0})["tries"]
            wait = WAITS[min(tries, len(WAITS) - 1)]
            self._failures.put({key: {"tries": tries + 1, "next_try": now + wait}})
            return False
        self._failures.delete([key])
        return self._block_list.resolve(order_id, address, by=f"mail of {self._email}")

    def _key(self, order_id: str) -> str:
        return f"{self._email} {order_id}"

    def _search(self, order_id: str) -> str | None:
        """Return the only alias in the mail about an order; None if there is none, or more than one."""
        # Without notices: they name the order too, but not the buyer.
        query = f'"{order_id}" -from:auto-communication'
        page = next(self._mailbox.find(query=query, page_size=MAX_READ))
        found = {
            buyer_of(message.raw, order_id, from_owner="SENT" in message.label_ids)
            for message in self._mailbox.read(page)
        } - {None}
        return found.pop() if len(found) == 1 else None


def _expect(failure: Mapping[str, Any]) -> None:
    if type(failure["tries"]) is not int or datetime.fromisoformat(failure["next_try"]).tzinfo is None:
        raise TypeError("a failure of another shape")
