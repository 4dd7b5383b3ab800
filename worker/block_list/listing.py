"""Read the block list: filtered, sorted, in pages, count_and_walk, all by the database."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce
from itertools import islice
from operator import and_
from typing import Any, Generic, Literal, TypeVar, cast, get_args

from tinydb import where
from tinydb.queries import QueryInstance

from worker.block_list.documents import Document, to_block, to_evidence, week_of
from worker.block_list.keys import Key, parse_key
from worker.block_list.merging import rounded_up
from worker.block_list.model import Block, Evidence, Reason
from worker.database import Database, Documents, Plan, containing, format_time
from worker.errors import UsageError
from worker.parsing import moment

Sort = Literal["first_seen", "last_seen", "key", "notices"]
Cursor = tuple[str, str]
"""first_seen and key of the last block of a page."""

# Sorting up to so many results is faster than finding them in a long list in sort order.
_FEW = 5000
_BATCH = 500

_OF_BLOCKS = where("blocked") == True  # noqa: E712 - TinyDB makes a query of it

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A filter for blocks; None and the empty text mean all.

    since: last seen at this time or later. first_from, first_to: range of first_seen, inclusive. q: part of the alias,
    an order ID or the note, case-insensitive.
    """

    q: str = ""
    marketplace: str | None = None
    reason: Reason | None = None
    account: str | None = None
    since: datetime | None = None
    first_from: datetime | None = None
    first_to: datetime | None = None

    @property
    def words(self) -> str:
        """q in normal form."""
        return " ".join(self.q.casefold().split())


EVERYTHING = Query()
FILTERS = ("account", "marketplace", "reason", "since", "q")
"""The filters of exports, as named in commands, addresses and published copies."""


def query_of(given: Mapping[str, Any]) -> Query:
    """Return the query for values by the names of FILTERS. A missing or empty value means all.

    Raises UsageError for a text that is no time, and for an unknown reason.
    """
    since, reason = given.get("since") or None, given.get("reason") or None
    after = moment(since) if isinstance(since, str) else since
    if since and after is None:
        raise UsageError(
            "{since!r} is no time; write it like 2026-11-23 or 2026-11-23T10:00:00Z.", since=since
        )
    if reason not in (None, *get_args(Reason)):
        raise UsageError(
            "There is no reason {reason!r}; choose one of {reasons}.",
            reason=reason,
            reasons=", ".join(get_args(Reason)),
        )
    return Query(
        q=(given.get("q") or "").strip(),
        marketplace=(given.get("marketplace") or "").strip().lower() or None,
        reason=cast("Reason | None", reason),
        account=(given.get("account") or "").strip().lower() or None,
        since=after,
    )


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """One page of results. number: counts from 1. total: items on all pages."""

    items: tuple[_T, ...]
    number: int
    total: int
    size: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message of the seller that Amazon did not deliver, known by its notice."""

    block: Block
    evidence: Evidence


class Listing:
    """Reads the block list. Raises StorageError, DamagedFileError and BusyError."""

    def __init__(self, database: Database) -> None:
        self._blocks = database.documents("blocks")
        self._orders = database.documents("orders")
        self._notices = database.documents("notices")
        self._counts = database.documents("counts")

    def count(self, query: Query = EVERYTHING) -> int:
        """Return the number of blocks."""
        if query.words and (keys := self._by_key(query)) is not None:
            return len(keys)
        if (query.words or query.since) and (matching := self._matching(query)):
            return self._blocks.count(matching)
        return self._count_by_weeks(query)

    def page(
        self, query: Query, *, sort: Sort = "first_seen", descending: bool = True, number: int = 1, size: int
    ) -> Page[Block]:
        """Return one page of blocks, without evidence; a number beyond the last page gives the last."""
        few = self._few(query, sort, descending=descending) if query.words else None
        total = self.count(query) if few is None else len(few)
        number, wanted = clamped_page(number, total, size)
        if few is not None:
            found = self._blocks.find_many(few[wanted])
            return Page(tuple(map(to_block, found.values())), number, total, size)
        documents = read_slice(
            self._blocks,
            sort,
            wanted,
            total,
            descending=descending,
            matching=self._matching(query),
            plan=_plan(query, few=total <= _FEW),
        )
        return Page(tuple(map(to_block, documents)), number, total, size)

    def after(self, query: Query, cursor: Cursor | None, *, limit: int) -> Sequence[Document]:
        """Return at most ``limit`` documents of blocks after a cursor, sorted by first_seen, then key."""
        searched = bool(query.words or query.since)
        if searched and (few := self._few(query, "first_seen")) is not None:
            found = self._blocks.find_many(few).items()
            return [it for key, it in found if cursor is None or (it["first_seen"], key) > cursor][:limit]
        few_of_kind = not searched and self.count(query) <= _FEW
        matching, plan = self._matching(query), _plan(query, few=few_of_kind)
        return self._blocks.page("first_seen", after=cursor, limit=limit, matching=matching, plan=plan)

    def key_of(self, key: Key) -> str:
        """Return the key of the entry for a key: for a known order that of its buyer."""
        order = self._orders.find(key.text) if key.kind == "order" else None
        return str(order["key"]) if order else key.text

    def documents(self, query: Query = EVERYTHING) -> tuple[int, Iterator[Document]]:
        """Return the number of blocks and a snapshot of their documents, sorted by first_seen, then key."""
        if query.words and (keys := self._by_key(query)) is not None:
            found = self._blocks.find_many(keys)
            return len(found), iter(found.values())
        return self._blocks.count_and_walk("first_seen", matching=self._matching(query))

    def newest_notices(self, blocks: Sequence[Block]) -> dict[str, Evidence]:
        """Return the newest notice of each of these blocks, by the block's key; blocks without one are missing."""
        found = self._notices.search(where("block").one_of([block.key for block in blocks]))
        return {it["block"]: to_evidence(it) for it in sorted(found, key=lambda it: it["received_at"])}

    def undelivered(self, *, number: int, size: int) -> Page[Undelivered]:
        """Return one page of undelivered messages, the newest notice first."""
        total = sum(it["notices"] for it in self._counts)
        number, wanted = clamped_page(number, total, size)
        found = read_slice(self._notices, "received_at", wanted, total, descending=True, matching=_OF_BLOCKS)
        return Page(tuple(self._undelivered(found)), number, total, size)

    def all_undelivered(self) -> Iterator[Undelivered]:
        """Yield all undelivered messages, the newest notice first."""
        found = self._notices.walk("received_at", descending=True, matching=_OF_BLOCKS)
        while batch := list(islice(found, _BATCH)):
            yield from self._undelivered(batch)

    def opt_outs_by_week(self, first: date) -> Counter[tuple[date, str]]:
        """Return how many buyers opted out since a week, by week (its Monday) and marketplace."""
        counts: Counter[tuple[date, str]] = Counter()
        for it in self._week_counts(Query(reason="opted_out")):
            if it["week"] >= first.isoformat():
                counts[date.fromisoformat(it["week"]), it["marketplace"] or ""] += it["blocks"]
        return counts

    def has_notices(self, account: str) -> bool:
        """Return whether any notice to this account is known."""
        return any(self._week_counts(Query(reason="opted_out", account=account)))

    def _count_by_weeks(self, query: Query) -> int:
        """Count by adding the stored counts of whole weeks, and counting blocks only in the first and last week."""
        first, last = query.first_from, query.first_to
        if first and last and first > last:
            return 0
        begin, end = first and week_of(first), last and week_of(last)
        found = 0
        for it in self._week_counts(query):
            if (not begin or begin <= it["week"]) and (not end or it["week"] < end):
                found += int(it["blocks"])
        seen = where("first_seen")
        edges: list[tuple[int, QueryInstance]] = []
        if first:
            edges.append((-1, (seen >= begin) & (seen < format_time(first))))
        if last:
            edges.append((1, (seen >= end) & (seen <= format_time(last))))
        of_kind = self._matching(replace(query, first_from=None, first_to=None)) if edges else None
        return found + sum(
            sign * self._blocks.count(edge & of_kind if of_kind else edge) for sign, edge in edges
        )

    def _week_counts(self, query: Query) -> Iterator[Document]:
        """Yield the stored counts for a query's reason, marketplace and account; its other fields are ignored."""
        for it in self._counts:
            if (
                query.reason in (None, it["reason"])
                and query.marketplace in (None, it["marketplace"])
                and (query.account is None or query.account in it["accounts"])
            ):
                yield dict(it)

    def _few(self, query: Query, sort: Sort, *, descending: bool = False) -> list[str] | None:
        """Return the sorted keys of all results, None if there are more than _FEW."""
        if query.words and (keys := self._by_key(query)) is not None:
            return keys
        matching = self._matching(query)
        keys = self._blocks.sorted_keys(sort, limit=_FEW + 1, descending=descending, matching=matching)
        return keys if len(keys) <= _FEW else None

    def _by_key(self, query: Query) -> list[str] | None:
        """Return the result of a search for a complete key, None if the words are no key."""
        try:
            found = self.key_of(parse_key(query.words))
        except UsageError:
            return None
        document = self._blocks.find(found)
        other_filters = self._matching(replace(query, q=""))
        return [found] if document and (other_filters is None or other_filters(document)) else []

    def _matching(self, query: Query) -> QueryInstance | None:
        filters = []
        if query.words:
            filters.append(containing("search", query.words))
        if query.marketplace or query.reason or query.account:
            of_kind = where("kind").one_of(sorted({it["kind"] for it in self._week_counts(query)}))
            # The double negation makes the database use the index of last_seen.
            filters.append(~(~of_kind) if query.since else of_kind)
        if query.since:
            filters.append(where("last_seen") >= format_time(rounded_up(query.since)))
        if query.first_from:
            filters.append(where("first_seen") >= format_time(query.first_from))
        if query.first_to:
            filters.append(where("first_seen") <= format_time(query.first_to))
        return reduce(and_, filters) if filters else None

    def _undelivered(self, notices: Sequence[Document]) -> Iterator[Undelivered]:
        blocks = self._blocks.find_many({it["block"] for it in notices})
        for it in notices:
            if it["block"] in blocks:
                yield Undelivered(to_block(blocks[it["block"]]), to_evidence(it))


def read_slice(
    documents: Documents,
    order: str,
    wanted: slice,
    total: int,
    *,
    descending: bool,
    matching: QueryInstance | None,
    plan: Plan | None = None,
) -> Sequence[Document]:
    """Return a slice of the results. total: the number of all results; the second half is read from the end."""
    backwards = wanted.start > total // 2
    found = documents.page(
        order,
        limit=wanted.stop - wanted.start,
        offset=total - wanted.stop if backwards else wanted.start,
        descending=descending is not backwards,
        matching=matching,
        plan=plan,
    )
    return found[::-1] if backwards else found


def clamped_page(number: int, total: int, size: int) -> tuple[int, slice]:
    """Return a valid page number and its slice of the results; a number beyond the last page gives the last."""
    number = min(max(1, number), max(1, -(-total // size)))
    return number, slice((number - 1) * size, min(number * size, total))


def _plan(query: Query, *, few: bool) -> Plan | None:
    """Return whether to filter first or to read in sort order, if no index does both."""
    if query == EVERYTHING:
        return None
    return "filter" if few else "order"
