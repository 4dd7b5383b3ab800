"""The block list arranged for looking at: filtered, sorted, a page at a time, and counted by week."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

from worker.block_list.block_list import BlockList
from worker.block_list.model import Block, Evidence, Reason

PER_PAGE = 50

_Item = TypeVar("_Item")

Sort = Literal["first_seen", "last_seen", "buyer", "notices"]
SORTS: dict[Sort, Callable[[Block], Any]] = {
    "first_seen": lambda block: (block.first_seen, block.key),
    "last_seen": lambda block: (block.last_seen, block.key),
    "buyer": lambda block: block.key,
    "notices": lambda block: (block.notices, block.key),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What the seller wants to see. page counts from 1."""

    q: str = ""
    marketplace: str | None = None
    reason: Reason | None = None
    account: str | None = None
    sort: Sort = "first_seen"
    descending: bool = True
    page: int = 1


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """One page of what was found. number: counts from 1; total: items on all pages; last: number of the last page."""

    items: tuple[_Item, ...]
    number: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A message of the seller's that Amazon refused to deliver."""

    block: Block
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Tally:
    """How many buyers were first seen, by week (its Monday) and marketplace."""

    weeks: tuple[date, ...]
    counts: Counter[tuple[date, str]]

    def of_week(self, week: date) -> int:
        return sum(count for (monday, _), count in self.counts.items() if monday == week)

    @property
    def marketplaces(self) -> list[str]:
        """The marketplaces, those with most buyers first."""
        totals: Counter[str] = Counter()
        for (_, marketplace), count in self.counts.items():
            totals[marketplace] += count
        return [marketplace for marketplace, _ in totals.most_common()]


def select(block_list: BlockList, query: Query) -> Page[Block]:
    """Return one page of the blocks that a query asks for."""
    found = [
        block
        for block in block_list.blocks(q=query.q, reason=query.reason, account=query.account)
        if query.marketplace is None or block.marketplace == query.marketplace
    ]
    found.sort(key=SORTS[query.sort], reverse=query.descending)
    return _page(found, query.page)


def undelivered(block_list: BlockList) -> list[Undelivered]:
    """Return every message that did not arrive, newest first."""
    found = [
        Undelivered(block=block, evidence=evidence)
        for block in block_list.blocks()
        for evidence in block.evidence
    ]
    return sorted(found, key=lambda it: (it.evidence.received_at, it.evidence.message_id), reverse=True)


def page_of(found: Sequence[_Item], number: int) -> Page[_Item]:
    """Return one page of what was found; a number beyond the last page means the last."""
    return _page(found, number)


def tally(block_list: BlockList, *, now: datetime, weeks: int) -> Tally:
    """Count the buyers of the last weeks, the present one included."""
    monday = now.date() - timedelta(days=now.weekday())
    mondays = tuple(monday - timedelta(weeks=back) for back in reversed(range(weeks)))
    counts: Counter[tuple[date, str]] = Counter()
    for block in block_list.blocks():
        day = block.first_seen.date()
        if day >= mondays[0]:
            counts[day - timedelta(days=day.weekday()), block.marketplace or ""] += 1
    return Tally(mondays, counts)


def _page(found: Sequence[_Item], number: int) -> Page[_Item]:
    last = max(1, -(-len(found) // PER_PAGE))
    number = min(max(1, number), last)
    return Page(tuple(found[(number - 1) * PER_PAGE : number * PER_PAGE]), number, len(found))
