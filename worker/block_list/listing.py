"""The block list for reading: filtered, sorted, a page at a time, and counted. The database does all of it."""

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

# So many are sorted faster than they are found one by one in a long list.
_FEW = 5000
_AT_ONCE = 500

_OF_BLOCKS = where("blocked") == True  # noqa: E712 - TinyDB makes a query of it

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which blocks somebody asks for; None and the empty text ask for all.

    since: last seen at this moment or later. first_from, first_to: first seen then, both included. q: part of
    the alias, an order ID or the note, in any case.
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
        """Return what to search for."""
        return " ".join(self.q.casefold().split())


EVERYTHING = Query()
FILTERS = ("account", "marketplace", "reason", "since", "q")
"""What exports are narrowed by, as commands, addresses and published copies name it."""


def query_of(given: Mapping[str, Any]) -> Query:
    """Return the query that values by the names of FILTERS ask for. What is missing, None or empty asks for all.

    Raises UsageError for a time, as text, that is none, and a reason that there is not.
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
    """One page of what was found. number: counts from 1. total: items on all pages."""

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
    """A message of the seller's that Amazon refused to deliver, and the notice that said so."""

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
        """Return how many blocks there are."""
        if query.words and (keys := self._by_key(query)) is not None:
            return len(keys)
        if (query.words or query.since) and (matching := self._matching(query)):
            return self._blocks.count(matching)
        return self._count_by_weeks(query)

    def page(
        self, query: Query, *, sort: Sort = "first_seen", descending: bool = True, number: int = 1, size: int
    ) -> Page[Block]:
        """Return one page of blocks, without evidence; a number beyond the last page means the last."""
        few = self._few(query, sort, descending=descending) if query.words else None
        total = self.count(query) if few is None else len(few)
        number, wanted = page_in_range(number, total, size)
        if few is not None:
            found = self._blocks.find_many(few[wanted])
            return Page(tuple(map(to_block, found.values())), number, total, size)
        documents = shown(
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
        """Return at most ``limit`` documents of blocks behind a cursor, sorted by first_seen, then key."""
        searched = bool(query.words or query.since)
        if searched and (few := self._few(query, "first_seen")) is not None:
            some = self._blocks.find_many(few).items()
            return [it for key, it in some if cursor is None or (it["first_seen"], key) > cursor][:limit]
        few_of_kind = not searched and self.count(query) <= _FEW
        matching, plan = self._matching(query), _plan(query, few=few_of_kind)
        return self._blocks.page("first_seen", after=cursor, limit=limit, matching=matching, plan=plan)

    def key_of(self, key: Key) -> str:
        """Return under which key the list would have what a key means."""
        order = self._orders.find(key.text) if key.kind == "order" else None
        return str(order["key"]) if order else key.text

    def documents(self, query: Query = EVERYTHING) -> tuple[int, Iterator[Document]]:
        """Return how many blocks there are, and their documents by first_seen, then key: one whole state."""
        if query.words and (keys := self._by_key(query)) is not None:
            found = self._blocks.find_many(keys)
            return len(found), iter(found.values())
        return self._blocks.counted("first_seen", matching=self._matching(query))

    def newest_notices(self, blocks: Sequence[Block]) -> dict[str, Evidence]:
        """Return the newest notice of each of these blocks that has one, by the block's key."""
        found = self._notices.search(where("block").one_of([block.key for block in blocks]))
        return {it["block"]: to_evidence(it) for it in sorted(found, key=lambda it: it["received_at"])}

    def undelivered(self, *, number: int, size: int) -> Page[Undelivered]:
        """Return one page of the messages that did not arrive, the newest notice first."""
        total = sum(it["notices"] for it in self._counts)
        number, wanted = page_in_range(number, total, size)
        found = shown(self._notices, "received_at", wanted, total, descending=True, matching=_OF_BLOCKS)
        return Page(tuple(self._undelivered(found)), number, total, size)

    def all_undelivered(self) -> Iterator[Undelivered]:
        """Yield every message that did not arrive, the newest notice first."""
        found = self._notices.walk("received_at", descending=True, matching=_OF_BLOCKS)
        while some := list(islice(found, _AT_ONCE)):
            yield from self._undelivered(some)

    def opt_outs_by_week(self, first: date) -> Counter[tuple[date, str]]:
        """Return how many buyers opted out, by week (its Monday) and marketplace, from a week on."""
        counts: Counter[tuple[date, str]] = Counter()
        for it in self._kinds(Query(reason="opted_out")):
            if it["week"] >= first.isoformat():
                counts[date.fromisoformat(it["week"]), it["marketplace"] or ""] += it["blocks"]
        return counts

    def has_notices(self, account: str) -> bool:
        """Return whether any notice to this account is known."""
        return any(self._kinds(Query(reason="opted_out", account=account)))

    def _count_by_weeks(self, query: Query) -> int:
        """Return how many blocks there are by the counts of weeks; at the edges of the dates, count these."""
        first, last = query.first_from, query.first_to
        if first and last and first > last:
            return 0
        begin, end = first and week_of(first), last and week_of(last)
        found = 0
        for it in self._kinds(query):
            if (not begin or begin <= it["week"]) and (not end or it["week"] < end):
                found += int(it["blocks"])
        seen, of_kind = where("first_seen"), replace(query, first_from=None, first_to=None)
        if first:
            found -= self._count_those(of_kind, (seen >= begin) & (seen < format_time(first)))
        if last:
            found += self._count_those(of_kind, (seen >= end) & (seen <= format_time(last)))
        return found

    def _count_those(self, query: Query, seen: QueryInstance) -> int:
        matching = self._matching(query)
        return self._blocks.count(seen & matching if matching else seen)

    def _kinds(self, query: Query = EVERYTHING) -> Iterator[Document]:
        """Yield the counts of the kinds of blocks that a query asks for, whatever its words and its since."""
        for it in self._counts:
            if (
                query.reason in (None, it["reason"])
                and query.marketplace in (None, it["marketplace"])
                and (query.account is None or query.account in it["accounts"])
            ):
                yield dict(it)

    def _few(self, query: Query, sort: Sort, *, descending: bool = False) -> list[str] | None:
        """Return the sorted keys of all that is found, None if they are many."""
        if query.words and (keys := self._by_key(query)) is not None:
            return keys
        matching = self._matching(query)
        keys = self._blocks.sorted_keys(sort, limit=_FEW + 1, descending=descending, matching=matching)
        return keys if len(keys) <= _FEW else None

    def _by_key(self, query: Query) -> list[str] | None:
        """Return the key that a search for a whole key finds, None for other words: these are searched for."""
        try:
            found = self.key_of(parse_key(query.words))
        except UsageError:
            return None
        document = self._blocks.find(found)
        rest = self._matching(replace(query, q=""))
        return [found] if document and (rest is None or rest(document)) else []

    def _matching(self, query: Query) -> QueryInstance | None:
        filters = []
        if query.words:
            filters.append(containing("search", query.words))
        if query.marketplace or query.reason or query.account:
            of_kind = where("kind").one_of(sorted({it["kind"] for it in self._kinds(query)}))
            # Negated twice, it leaves the lead to the index of last_seen.
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


def shown(
    documents: Documents,
    order: str,
    wanted: slice,
    total: int,
    *,
    descending: bool,
    matching: QueryInstance | None,
    plan: Plan | None = None,
) -> Sequence[Document]:
    """Return a part of all that matches, total in number. The end of a long list is reached from behind."""
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


def page_in_range(number: int, total: int, size: int) -> tuple[int, slice]:
    """Return the number of a page that there is, and its part of all: beyond the last page it means the last."""
    number = min(max(1, number), max(1, -(-total // size)))
    return number, slice((number - 1) * size, min(number * size, total))


def _plan(query: Query, *, few: bool) -> Plan | None:
    """Return how to find what matches where no index has it in the order asked for."""
    if query == EVERYTHING:
        return None
    return "filter" if few else "order"
