"""Find the buyer's address for blocks that are known by their order alone, in the mailbox itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from worker.block_list.block_list import BlockList
from worker.clock import Clock, has_come, is_due
from worker.files import make_private_directory, write_atomically
from worker.gmail.mailbox import Mailbox
from worker.gmail.quota import PRICES
from worker.notices.buyers import buyer_of

# Mail about an order is at most an order confirmation, a question and an answer; more would only cost.
MOST_READ = 3
SOME_EVERY = timedelta(minutes=1)
# After each failure the wait grows: the buyer may write only weeks later, or never.
WAITS = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=4), timedelta(days=16))
SHARE = 10  # a tenth of the quota
_COST = PRICES["users.messages.list"] + MOST_READ * PRICES["users.messages.get"]


@dataclass(frozen=True, slots=True)
class _Failure:
    tries: int
    next_try: datetime


class Resolver:
    """Resolves one account's orders, a few a minute. Losing its file costs quota, never correctness."""

    def __init__(
        self,
        email: str,
        *,
        mailbox: Mailbox,
        block_list: BlockList,
        path: Path,
        units_per_minute: int,
        clock: Clock,
    ) -> None:
        self._email = email
        self._mailbox = mailbox
        self._block_list = block_list
        self._path = path
        self._most_a_minute = max(1, units_per_minute // SHARE // _COST)
        self._clock = clock
        self._last: datetime | None = None
        self._failures = _read(path)

    def resolve_some(self) -> int:
        """Try the orders that are due, as many as a tenth of the quota allows; return how many are resolved now.

        Raises the errors of Mailbox and BlockList.
        """
        now = self._clock.now()
        if not is_due(self._last, SOME_EVERY, now):
            return 0
        due = [order_id for order_id in self._waiting() if self._is_due(order_id, now)][: self._most_a_minute]
        # Never at the cost of new mail: it would wait where the pass has used the quota up.
        if not due or self._mailbox.quota.left() < len(due) * _COST:
            return 0
        self._last = now
        resolved = sum(self._resolve(order_id, now) for order_id in due)
        make_private_directory(self._path.parent)
        write_atomically(
            self._path, orjson.dumps({it: [f.tries, f.next_try] for it, f in self._failures.items()})
        )
        return resolved

    def _waiting(self) -> list[str]:
        blocks = (block for block in self._block_list.unresolved() if self._email in block.accounts)
        return [order_id for block in blocks for order_id in block.orders]

    def _is_due(self, order_id: str, now: datetime) -> bool:
        failure = self._failures.get(order_id)
        return failure is None or has_come(failure.next_try, WAITS[-1], now)

    def _resolve(self, order_id: str, now: datetime) -> bool:
        if (address := self._search(order_id)) is None:
            tries = self._failures[order_id].tries if order_id in self._failures else 0
            wait = WAITS[min(tries, len(WAITS) - 1)]
            self._failures[order_id] = _Failure(tries + 1, now + wait)
            return False
        self._failures.pop(order_id, None)
        return self._block_list.resolve(order_id, address, by=f"mail of {self._email}")

    def _search(self, order_id: str) -> str | None:
        """Return the alias that the mailbox shows for an order; None if there is none, or more than one."""
        # Notices name the order too, one for every refused message, and those in question know no buyer.
        query = f'"{order_id}" -from:auto-communication'
        page = next(self._mailbox.find(query=query, page_size=MOST_READ))
        found = {
            buyer_of(message.raw, order_id, from_owner="SENT" in message.label_ids)
            for message in self._mailbox.read(page)
        } - {None}
        return found.pop() if len(found) == 1 else None


def _read(path: Path) -> dict[str, _Failure]:
    try:
        kept: dict[str, Any] = orjson.loads(path.read_bytes())
        return {it: _Failure(tries, datetime.fromisoformat(at)) for it, (tries, at) in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
