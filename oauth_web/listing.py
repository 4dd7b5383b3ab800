"""The block list arranged for looking at: filtered, sorted, a page at a time, and counted by week."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Generic, TypeVar, get_args

from oauth_web.index import Index, Notice, Row, Sort
from worker.block_list.documents import to_block
from worker.block_list.model import Block, Evidence, Reason
from worker.block_list.state import parse

PER_PAGE = 50

_Item = TypeVar("_Item")

SORTS: tuple[Sort, ...] = get_args(Sort)


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

    @property
    def narrow(self) -> bool:
        """Whether it leaves blocks out."""
        return bool(self.q or self.marketplace or self.reason or self.account)


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """One page of what was found. number: counts from 1; total: items on all pages; last: number of the last page."""

    items: tuple[_Item, ...]
    number: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message of the seller's that Amazon refused to deliver, and the notice that said so."""

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


def select(index: Index, query: Query) -> Page[Block]:
    """Return one page of the blocks that a query asks for."""
    found = _matching(index.rows(query.sort), query)
    return _page(found, query.page, _block, descending=query.descending)


def undelivered_page(index: Index, number: int) -> Page[Undelivered]:
    """Return one page of the messages that did not arrive, the newest notice first."""
    return _page(index.notices(), number, _undelivered, descending=True)


def undelivered(index: Index) -> Iterator[Undelivered]:
    """Yield every message that did not arrive, the newest notice first."""
    return map(_undelivered, reversed(index.notices()))


def tally(rows: Sequence[Row], *, now: datetime, weeks: int) -> Tally:
    """Count the buyers of the last weeks, the present one included. rows: by first_seen."""
    monday = now.date() - timedelta(days=now.weekday())
    mondays = tuple(monday - timedelta(weeks=back) for back in reversed(range(weeks)))
    start = bisect_left(rows, mondays[0].isoformat(), key=attrgetter("first_seen"))
    days = Counter((row.first_seen[:10], row.marketplace) for row in rows[start:])
    counts: Counter[tuple[date, str]] = Counter()
    for (text, marketplace), count in days.items():
        day = date.fromisoformat(text)
        counts[day - timedelta(days=day.weekday()), marketplace] += count
    return Tally(mondays, counts)


def has_notices(rows: Sequence[Row], account: str) -> bool:
    """Return whether any notice to this account is known."""
    return any(row.received and account in row.accounts for row in rows)


def _matching(rows: Sequence[Row], query: Query) -> Sequence[Row]:
    if wanted := query.q.casefold():
        rows = [row for row in rows if wanted in row.text]
    if query.marketplace:
        rows = [row for row in rows if row.marketplace == query.marketplace]
    if query.reason:
        rows = [row for row in rows if row.reason == query.reason]
    if query.account:
        rows = [row for row in rows if query.account in row.accounts]
    return rows


def _undelivered(notice: Notice) -> Undelivered:
    block = _block(notice.row)
    return Undelivered(block, block.evidence[notice.place])


def _block(row: Row) -> Block:
    return to_block(parse(row.raw))


_Found = TypeVar("_Found")


def _page(
    found: Sequence[_Found], number: int, show: Callable[[_Found], _Item], *, descending: bool
) -> Page[_Item]:
    """Return one page of what was found in ascending order; a number beyond the last page means the last."""
    last = max(1, -(-len(found) // PER_PAGE))
    number = min(max(1, number), last)
    start, end = (number - 1) * PER_PAGE, number * PER_PAGE
    if descending:
        start, end = max(0, len(found) - end), len(found) - start
    shown = [show(item) for item in found[start:end]]
    return Page(tuple(reversed(shown) if descending else shown), number, len(found))
