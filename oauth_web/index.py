"""What pages need to know of every block at once, kept in step with the block list at little cost.

Parsing 100,000 blocks takes a second, a page may take a seventh of that. So a block is parsed when it is new
or has changed, a row remembers what lists are searched, sorted and counted by, and every
order is kept: putting a few rows into their place costs next to nothing.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import chain, compress, islice
from operator import attrgetter, is_not
from sys import intern
from threading import Lock
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import orjson

from worker.block_list.block_list import BlockList

_FEW = 200  # so many are put into their place one by one; more are sorted in

Sort = Literal["first_seen", "last_seen", "buyer", "notices"]


class Row(NamedTuple):
    """A block. raw: as it is stored. text: what a search looks through. Times are RFC 3339, so they sort as text.

    received: when each notice of the evidence was received, with spaces between. Few objects a row keep Python's
    garbage collector quick: it looks at every one again and again.
    """

    key: str
    raw: bytes
    text: str
    marketplace: str
    reason: str
    accounts: tuple[str, ...]
    first_seen: str
    last_seen: str
    notices: int
    received: str


class Notice(NamedTuple):
    """One notice. place: of its evidence in the block."""

    key: str
    received: str
    place: int
    row: Row


class Index:
    """The rows of a block list, in every order that pages ask for. Threads may share it."""

    def __init__(self, block_list: BlockList) -> None:
        self._block_list = block_list
        self._lock = Lock()
        self._generation = ""
        self._stored: Mapping[str, bytes] = {}
        self._rows: dict[str, Row] = {}
        self._sorts: dict[Sort, _Order[Row]] = {
            "first_seen": _Order(_itself, attrgetter("first_seen")),
            "last_seen": _Order(_itself, attrgetter("last_seen")),
            "buyer": _Order(_itself, attrgetter("key")),
            "notices": _Order(_itself, attrgetter("notices")),
        }
        self._notices = _Order(_notices, attrgetter("received"))

    def rows(self, sort: Sort = "first_seen") -> list[Row]:
        """Return the blocks of now in ascending order. Do not change the list."""
        with self._lock:
            self._follow()
            return self._sorts[sort].follow(self._rows)

    def notices(self) -> list[Notice]:
        """Return the notices of all blocks, oldest first. Do not change the list."""
        with self._lock:
            self._follow()
            return self._notices.follow(self._rows)

    def warm_up(self) -> None:
        """Make every order, so that no page has to wait for one."""
        for sort in self._sorts:
            self.rows(sort)
        self.notices()

    def _follow(self) -> None:
        generation = self._block_list.generation
        if generation == self._generation:
            return
        former, stored = self._stored, self._block_list.stored()
        changed = _changed(former, stored)
        new = sum(key not in former for key in changed)
        gone = former.keys() - stored.keys() if len(former) + new != len(stored) else set()
        self._rows.update({key: _row(key, stored[key]) for key in changed})
        for key in gone:
            del self._rows[key]
        for order in (*self._sorts.values(), self._notices):
            order.stale |= changed
            order.stale |= gone
        self._stored, self._generation = stored, generation


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


_Item = TypeVar("_Item", bound=_Keyed)


class _Order(Generic[_Item]):
    """What the rows hold, in one order. stale: the blocks that changed since the order was last asked for."""

    def __init__(self, items_of: Callable[[Row], Iterable[_Item]], by: Callable[[_Item], Any]) -> None:
        self.stale: set[str] = set()
        self._items_of = items_of
        self._by = by
        self._items: list[_Item] = []

    def follow(self, rows: Mapping[str, Row]) -> list[_Item]:
        if self.stale:
            stale = self.stale
            # A new list, since the old one may still be in use.
            items = [item for item in self._items if item.key not in stale]
            new = [item for key in sorted(stale) if key in rows for item in self._items_of(rows[key])]
            if len(new) < _FEW:
                for item in new:
                    insort(items, item, key=self._by)
            else:
                items = sorted([*items, *new], key=self._by)
            self._items, self.stale = items, set()
        return self._items


def _changed(former: Mapping[str, bytes], stored: Mapping[str, bytes]) -> set[str]:
    """Return the keys of blocks that are new or not what they were.

    Blocks mostly stay where they are, so looking at both side by side leaves few to look up.
    """
    moved = compress(stored, map(is_not, stored.values(), former.values()))
    added = islice(stored, len(former), None)
    return {key for key in chain(moved, added) if former.get(key) != stored[key]}


def _itself(row: Row) -> tuple[Row]:
    return (row,)


def _notices(row: Row) -> list[Notice]:
    return [Notice(row.key, received, place, row) for place, received in enumerate(row.received.split())]


@lru_cache(maxsize=1000)
def _shared(accounts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the one object that stands for these accounts."""
    return accounts


def _row(key: str, raw: bytes) -> Row:
    stored = orjson.loads(raw)
    searched = (stored["address"] or "", *stored["orders"], stored["note"])
    return Row(
        key=key,
        raw=raw,
        text="\n".join(searched).casefold(),
        marketplace=intern(stored["marketplace"] or ""),
        reason=intern(stored["reason"]),
        accounts=_shared(tuple(stored["accounts"])),
        first_seen=stored["first_seen"],
        last_seen=stored["last_seen"],
        notices=stored["notices"],
        received=" ".join(evidence["received_at"] for evidence in stored["evidence"]),
    )
