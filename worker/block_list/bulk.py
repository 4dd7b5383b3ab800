"""Imports: preview, apply in one transaction, undo."""

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from itertools import chain

from tinydb import where
from tinydb.table import Document

from worker.block_list import changes
from worker.block_list.entries import Entries, changing
from worker.block_list.formats.model import UNDATED, Found, Import, Preview
from worker.block_list.keys import parse_key
from worker.block_list.model import Block, Entry, block_for, whole_second
from worker.database import Database, format_time, stored
from worker.errors import UsageError


def preview(database: Database, found: Found) -> Preview:
    """Compare the keys of a file with the list."""
    state = _KnownState(database, found)
    adds: list[str] = []
    known: list[str] = []
    unblocked: list[str] = []
    resolves = {order: alias for order, alias in found.pairs.items() if order in state.blocked}
    for key, block in found.keys.items():
        keys = {key, *(state.key_of_order.get(order, "") for order in (block.orders if block else (key,)))}
        if not keys.isdisjoint(state.unblocked):
            unblocked.append(key)
        elif key in state.blocked or ("@" not in key and key in state.key_of_order):
            known.append(key)
            resolves |= dict.fromkeys(state.new_orders(block), key)
        else:
            adds.append(key)
    return Preview(found, adds, known, unblocked, resolves)


def apply(database: Database, plan: Preview, *, source: str, by: str, at: datetime) -> Import:
    """Apply a preview."""
    with changing(database, "import", by=by, at=at) as (entries, change):
        import_id = str(change.sequence)
        entries.read(plan.adds)
        added = sum(_add(entries, key, plan.found.keys[key], import_id, at) for key in plan.adds)
        resolved = sum(
            changes.add_order(entries, order, parse_key(key)) for order, key in plan.resolves.items()
        )
        done = Import(id=import_id, at=at, by=by, source=source, added=added, resolved=resolved)
        database.documents("imports").put({import_id: asdict(done)})
    return done


def undo(database: Database, import_id: str, *, by: str, at: datetime) -> int:
    """Delete the entries that this import added, blocked or unblocked, except those confirmed since."""
    with changing(database, "undo import", by=by, at=at) as (entries, _):
        imports = database.documents("imports")
        document = imports.find(import_id)
        if document is None or document.get("undone_at"):
            raise UsageError("There is no import {import_id!r} to undo.", import_id=import_id)
        imports.put({import_id: {**document, "undone_at": format_time(at)}})
        added = [
            str(it.doc_id)
            for table in ("blocks", "unblocked")
            for it in database.documents(table).search(where("import_id") == import_id)
        ]
        for key in added:
            entries.drop(key)
    return len(added)


def list_imports(database: Database) -> list[Import]:
    """Return the imports, newest first."""
    imports = database.documents("imports")
    imports.expect(_to_import)
    return sorted(map(_to_import, imports.walk()), key=lambda each: int(each.id), reverse=True)


def _to_import(document: Document) -> Import:
    return stored(Import, {**document, "id": str(int(str(document.doc_id)))})


class _KnownState:
    """The list's records about the keys of a file."""

    def __init__(self, database: Database, found: Found) -> None:
        listed = chain.from_iterable(block.orders for block in found.keys.values() if block)
        orders = {*listed, *found.pairs, *(key for key in found.keys if "@" not in key)}
        rows = database.documents("orders").find_many(orders)
        self.key_of_order = {order: row["key"] for order, row in rows.items()}
        keys = {*found.keys, *found.pairs, *self.key_of_order.values()}
        self.blocked = database.documents("blocks").find_many(keys).keys()
        self.unblocked = database.documents("unblocked").find_many(keys).keys()

    def new_orders(self, block: Block | None) -> Iterable[str]:
        """Return the orders of a known buyer in a file that the list does not have, or has without a buyer."""
        if block is None or block.address is None:
            return ()
        return (order for order in block.orders if self.key_of_order.get(order, order) == order)


def _add(entries: Entries, key: str, block: Block | None, import_id: str, at: datetime) -> bool:
    if block is None:
        block = block_for(parse_key(key), reason="imported", at=at)
    elif block.first_seen == UNDATED:
        block = replace(block, first_seen=whole_second(at), last_seen=whole_second(at))
    return changes.add_imported(entries, Entry(block=block, import_id=import_id)) == "added"
