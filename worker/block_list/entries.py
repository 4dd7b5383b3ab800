"""The entries of the block list inside a transaction: read once, changed in memory, stored together at the end.

Beside the entries themselves three tables follow from them, and are kept here: which key an order belongs to,
the notices that an entry rests on, and how many blocks and notices there are of a kind, by the week (its Monday) in
which they were first seen.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from tinydb import where

from worker.block_list.documents import (
    Document,
    bare_document,
    expect_entry,
    expect_notice,
    kind_of,
    notice_documents,
    to_document,
    to_entry,
    week_of,
)
from worker.block_list.model import Block, Entry
from worker.database import Change, Database

_AT_ONCE = 1000  # entries whose notices one question reads


class Entries:
    """The entries, in force and unblocked alike."""

    def __init__(self, database: Database) -> None:
        self._blocks = database.documents("blocks")
        self._unblocked = database.documents("unblocked")
        self._orders = database.documents("orders")
        self._notices = database.documents("notices")
        self._counts = database.documents("counts")
        self._before: dict[str, Entry | None] = {}
        self._now: dict[str, Entry | None] = {}
        self._key_of_order: dict[str, str] = {}

    def get(self, key: str) -> Entry | None:
        """Return the entry under exactly this key."""
        if key not in self._now:
            document = self._blocks.find(key) or self._unblocked.find(key)
            self._before[key] = self._now[key] = (
                to_entry(document, self._notices.search(where("block") == key)) if document else None
            )
        return self._now[key]

    def read(self, keys: Iterable[str]) -> None:
        """Read these entries together; ``get`` one by one takes as many questions as there are keys."""
        wanted = [key for key in keys if key not in self._now]
        found = {**self._unblocked.find_many(wanted), **self._blocks.find_many(wanted)}
        notices: dict[str, list[Document]] = {key: [] for key in found}
        for start in range(0, len(found), _AT_ONCE):
            some = where("block").one_of(list(found)[start : start + _AT_ONCE])
            for it in self._notices.search(some):
                notices[it["block"]].append(it)
        for key in wanted:
            entry = to_entry(found[key], notices[key]) if key in found else None
            self._before[key] = self._now[key] = entry

    def of_order(self, order_id: str) -> Entry | None:
        """Return the entry that lists this order, under any key."""
        if order_id not in self._key_of_order:
            document = self._orders.find(order_id)
            self._key_of_order[order_id] = document["key"] if document else ""
        key = self._key_of_order[order_id]
        entry = self.get(key) if key else None
        return entry if entry is not None and order_id in entry.block.orders else None

    def put(self, entry: Entry) -> None:
        """Keep the entry under its block's key."""
        key = entry.block.key
        self.get(key)
        self._now[key] = entry
        self._key_of_order.update(dict.fromkeys(entry.block.orders, key))

    def drop(self, key: str) -> None:
        """Forget the entry under this key."""
        self.get(key)
        self._now[key] = None

    def write(self, change: Change) -> None:
        """Store what has changed, and name it in the transaction's event."""
        changed = [(key, self._before[key], it) for key, it in self._now.items() if it != self._before[key]]
        before = {key: entry for key, entry, _ in changed if entry is not None}
        now = {key: entry for key, _, entry in changed if entry is not None}
        if changed:
            self._write_entries(before, now)
            self._write_orders(before, now)
            self._write_notices(before, now)
            self._write_counts(before, now)
        for key, _, entry in changed:
            change.entries[key] = _what_happened(before.get(key), entry)

    def _write_entries(self, before: "_Some", now: "_Some") -> None:
        for table, blocked in ((self._blocks, True), (self._unblocked, False)):
            here = {key: to_document(entry) for key, entry in now.items() if entry.is_blocked is blocked}
            table.delete(
                key for key, entry in before.items() if entry.is_blocked is blocked and key not in here
            )
            table.put(here)

    def _write_orders(self, before: "_Some", now: "_Some") -> None:
        orders = {order: key for key, entry in now.items() for order in entry.block.orders}
        former = {order for entry in before.values() for order in entry.block.orders}
        self._orders.delete(former - orders.keys())
        self._orders.put({order: {"key": key} for order, key in orders.items()})

    def _write_notices(self, before: "_Some", now: "_Some") -> None:
        former, notices = notice_documents(before.values()), notice_documents(now.values())
        self._notices.delete(former.keys() - notices.keys())
        self._notices.put({key: it for key, it in notices.items() if former.get(key) != it})

    def _write_counts(self, before: "_Some", now: "_Some") -> None:
        changed: dict[str, Document] = {}
        for entries, sign in ((now, 1), (before, -1)):
            for block in (entry.block for entry in entries.values() if entry.is_blocked):
                none = _no_blocks_like(block)
                count = changed.setdefault(f"{none['week']} {none['kind']}", none)
                count["blocks"] += sign
                count["notices"] += sign * len(block.evidence)
        for key, known in self._counts.find_many(changed).items():
            changed[key]["blocks"] += known["blocks"]
            changed[key]["notices"] += known["notices"]
        self._counts.put({key: it for key, it in changed.items() if it["blocks"]})
        self._counts.delete(key for key, it in changed.items() if not it["blocks"])


def _no_blocks_like(block: Block) -> Document:
    return {
        "week": week_of(block.first_seen),
        "kind": kind_of(block),
        "reason": block.reason,
        "marketplace": block.marketplace,
        "accounts": block.accounts,
        "blocks": 0,
        "notices": 0,
    }


_Some = dict[str, Entry]


def _what_happened(before: Entry | None, now: Entry | None) -> str:
    if now is None:
        return "removed"
    if before is not None and before.is_blocked is now.is_blocked:
        return "changed"
    return "blocked" if now.is_blocked else "unblocked"


def expect_all(database: Database) -> None:
    """Say how the records of the block list look, so that one of another shape is set aside."""
    database.documents("blocks").expect(expect_entry, instead=bare_document)
    database.documents("unblocked").expect(expect_entry)
    # Which buyer has the order is not known then.
    database.documents("orders").expect(_expect_order, instead=lambda _: {"key": ""})
    database.documents("notices").expect(expect_notice)
    database.documents("counts").expect(_expect_count)


def _expect_order(document: Mapping[str, Any]) -> None:
    if type(document["key"]) is not str:
        raise TypeError("key")


def _expect_count(document: Mapping[str, Any]) -> None:
    texts = (document["kind"], document["reason"], document["marketplace"] or "", *document["accounts"])
    kinds = [*map(type, texts), type(document["blocks"]), type(document["notices"])]
    if kinds != [*(str for _ in texts), int, int]:
        raise TypeError("a count of another shape")
    date.fromisoformat(document["week"])


@contextmanager
def changing(database: Database, what: str, *, by: str, at: datetime) -> Iterator[tuple[Entries, Change]]:
    """Open a transaction over the entries; what was changed inside is durable at the end."""
    with database.transaction(what, by=by, at=at) as change:
        entries = Entries(database)
        yield entries, change
        entries.write(change)
