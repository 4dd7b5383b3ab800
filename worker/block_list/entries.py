"""The entries of the block list in a transaction: read once, changed in memory, stored together at the end.

Three other tables are derived from the entries and updated here: the key of each order; the notices of each entry; and
the numbers of blocks and notices, by kind and by the week (its Monday) in which the block was first seen.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from tinydb import where

from worker.block_list.documents import (
    Document,
    expect_entry,
    expect_notice,
    fallback_document,
    kind_of,
    notice_documents,
    to_document,
    to_entry,
    week_of,
)
from worker.block_list.model import Block, Entry
from worker.database import Change, Database

_BATCH = 1000  # entries whose notices are read by one query


class Entries:
    """The entries, blocked and unblocked."""

    def __init__(self, database: Database) -> None:
        self._blocks = database.documents("blocks")
        self._unblocked = database.documents("unblocked")
        self._orders = database.documents("orders")
        self._notices = database.documents("notices")
        self._counts = database.documents("counts")
        self._stored: dict[str, Entry | None] = {}
        self._current: dict[str, Entry | None] = {}
        self._key_of_order: dict[str, str] = {}

    def get(self, key: str) -> Entry | None:
        """Return the entry with exactly this key."""
        if key not in self._current:
            document = self._blocks.find(key) or self._unblocked.find(key)
            self._stored[key] = self._current[key] = (
                to_entry(document, self._notices.search(where("block") == key)) if document else None
            )
        return self._current[key]

    def read(self, keys: Iterable[str]) -> None:
        """Read these entries in batches, to save the queries of one ``get`` for each."""
        wanted = [key for key in keys if key not in self._current]
        found = {**self._unblocked.find_many(wanted), **self._blocks.find_many(wanted)}
        notices: dict[str, list[Document]] = {key: [] for key in found}
        for start in range(0, len(found), _BATCH):
            batch = where("block").one_of(list(found)[start : start + _BATCH])
            for it in self._notices.search(batch):
                notices[it["block"]].append(it)
        for key in wanted:
            entry = to_entry(found[key], notices[key]) if key in found else None
            self._stored[key] = self._current[key] = entry

    def get_by_order(self, order_id: str) -> Entry | None:
        """Return the entry that contains this order."""
        if order_id not in self._key_of_order:
            document = self._orders.find(order_id)
            self._key_of_order[order_id] = document["key"] if document else ""
        key = self._key_of_order[order_id]
        entry = self.get(key) if key else None
        return entry if entry is not None and order_id in entry.block.orders else None

    def put(self, entry: Entry) -> None:
        """Add or replace the entry."""
        key = entry.block.key
        self.get(key)
        self._current[key] = entry
        self._key_of_order.update(dict.fromkeys(entry.block.orders, key))

    def drop(self, key: str) -> None:
        """Delete the entry of this key."""
        self.get(key)
        self._current[key] = None

    def write(self, change: Change) -> None:
        """Store the changed entries, and list them in the transaction's event."""
        changed = [
            (key, self._stored[key], it) for key, it in self._current.items() if it != self._stored[key]
        ]
        before = {key: entry for key, entry, _ in changed if entry is not None}
        after = {key: entry for key, _, entry in changed if entry is not None}
        if changed:
            self._write_entries(before, after)
            self._write_orders(before, after)
            self._write_notices(before, after)
            self._write_counts(before, after)
        for key, _, entry in changed:
            change.entries[key] = _change_name(before.get(key), entry)

    def _write_entries(self, before: "_ByKey", after: "_ByKey") -> None:
        for table, blocked in ((self._blocks, True), (self._unblocked, False)):
            rows = {key: to_document(entry) for key, entry in after.items() if entry.is_blocked is blocked}
            table.delete(
                key for key, entry in before.items() if entry.is_blocked is blocked and key not in rows
            )
            table.put(rows)

    def _write_orders(self, before: "_ByKey", after: "_ByKey") -> None:
        orders = {order: key for key, entry in after.items() for order in entry.block.orders}
        former = {order for entry in before.values() for order in entry.block.orders}
        self._orders.delete(former - orders.keys())
        self._orders.put({order: {"key": key} for order, key in orders.items()})

    def _write_notices(self, before: "_ByKey", after: "_ByKey") -> None:
        former, notices = notice_documents(before.values()), notice_documents(after.values())
        self._notices.delete(former.keys() - notices.keys())
        self._notices.put({key: it for key, it in notices.items() if former.get(key) != it})

    def _write_counts(self, before: "_ByKey", after: "_ByKey") -> None:
        changed: dict[str, Document] = {}
        for entries, sign in ((after, 1), (before, -1)):
            for block in (entry.block for entry in entries.values() if entry.is_blocked):
                zero = _zero_count(block)
                count = changed.setdefault(f"{zero['week']} {zero['kind']}", zero)
                count["blocks"] += sign
                count["notices"] += sign * len(block.evidence)
        for key, known in self._counts.find_many(changed).items():
            changed[key]["blocks"] += known["blocks"]
            changed[key]["notices"] += known["notices"]
        self._counts.put({key: it for key, it in changed.items() if it["blocks"]})
        self._counts.delete(key for key, it in changed.items() if not it["blocks"])


def _zero_count(block: Block) -> Document:
    return {
        "week": week_of(block.first_seen),
        "kind": kind_of(block),
        "reason": block.reason,
        "marketplace": block.marketplace,
        "accounts": block.accounts,
        "blocks": 0,
        "notices": 0,
    }


_ByKey = dict[str, Entry]


def _change_name(before: Entry | None, after: Entry | None) -> str:
    if after is None:
        return "removed"
    if before is not None and before.is_blocked is after.is_blocked:
        return "changed"
    return "blocked" if after.is_blocked else "unblocked"


def expect_all(database: Database) -> None:
    """Declare the shapes of the block list's records, so that records of another shape are set aside."""
    database.documents("blocks").expect(expect_entry, instead=fallback_document)
    database.documents("unblocked").expect(expect_entry)
    # An empty key means that the order's buyer is unknown.
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
    """Open a transaction over the entries; the changes are stored at its end."""
    with database.transaction(what, by=by, at=at) as change:
        entries = Entries(database)
        yield entries, change
        entries.write(change)
