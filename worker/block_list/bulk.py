"""What an import does to the list: look, then do all of it in one transaction; and take it back."""

from dataclasses import replace
from datetime import datetime

from worker.block_list import changes
from worker.block_list.documents import format_time, parse_time
from worker.block_list.entries import OpenEntries
from worker.block_list.import_model import Found, Import, Preview
from worker.block_list.imports import UNDATED
from worker.block_list.keys import parse_key
from worker.block_list.merging import whole_second
from worker.block_list.model import Block, Entry
from worker.block_list.state import BLOCKS, IMPORTS, UNBLOCKED, State, parse
from worker.block_list.transaction import Transaction
from worker.errors import UsageError


def preview(state: State, found: Found) -> Preview:
    """Sort what was found by what the list knows about it."""
    adds: list[str] = []
    known: list[str] = []
    unblocked: list[str] = []
    resolves = {order: found.pairs[order] for order in found.pairs if order in state.tables[BLOCKS]}
    for key, block in found.keys.items():
        held = {key, *(state.key_of_order.get(order, "") for order in (block.orders if block else (key,)))}
        if any(each in state.tables[UNBLOCKED] for each in held):
            unblocked.append(key)
        elif key in state.tables[BLOCKS] or ("@" not in key and key in state.key_of_order):
            known.append(key)
            resolves |= dict.fromkeys(_new_orders(state, block), key)
        else:
            adds.append(key)
    return Preview(
        format=found.format,
        adds=adds,
        known=known,
        unblocked=unblocked,
        resolves=resolves,
        duplicates=found.duplicates,
        rejected=found.rejected,
        rejected_count=found.rejected_count,
        blocks=found.keys,
    )


def apply(transaction: Transaction, plan: Preview, *, source: str, by: str, at: datetime) -> Import:
    """Do what the preview said."""
    entries = OpenEntries(transaction)
    made = Import(
        id=str(transaction.state.sequence + 1),
        at=at,
        by=by,
        source=source,
        added=sum(_take_in(entries, key, plan.blocks[key], transaction, at=at) for key in plan.adds),
        resolved=sum(
            changes.join(entries, order, parse_key(alias)) for order, alias in plan.resolves.items()
        ),
    )
    transaction.table(IMPORTS)[made.id] = {
        "at": format_time(at),
        "by": by,
        "source": source,
        "added": made.added,
        "resolved": made.resolved,
    }
    return made


def undo(transaction: Transaction, import_id: str, *, at: datetime) -> int:
    """Drop what this import added, in force or not, unless something else has confirmed it."""
    document = transaction.table(IMPORTS).get(import_id)
    if document is None or "undone_at" in document:
        raise UsageError(f"There is no import {import_id!r} to undo.")
    document["undone_at"] = format_time(at)
    mark = b'"import_id":"%b"' % import_id.encode()
    entries = OpenEntries(transaction)
    added = [
        key
        for table in (BLOCKS, UNBLOCKED)
        for key, raw in transaction.state.tables[table].items()
        if mark in raw
    ]
    for key in added:
        entries.drop(key)
    return len(added)


def made(state: State) -> list[Import]:
    """Return the imports, newest first."""
    found = []
    for import_id, raw in state.tables[IMPORTS].items():
        document = parse(raw)
        undone_at = document.pop("undone_at", None)
        document["at"] = parse_time(document["at"])
        found.append(Import(id=import_id, undone_at=parse_time(undone_at) if undone_at else None, **document))
    return sorted(found, key=lambda each: int(each.id), reverse=True)


def _new_orders(state: State, block: Block | None) -> list[str]:
    """Return the orders that a file has for a known buyer and the list has not, or has alone."""
    if block is None or block.address is None:
        return []
    return [order for order in block.orders if state.key_of_order.get(order, order) == order]


def _take_in(
    entries: OpenEntries, key: str, block: Block | None, transaction: Transaction, *, at: datetime
) -> bool:
    if block is None:
        block = changes.manual_block(parse_key(key), reason="imported", note="", at=at)
    elif block.first_seen == UNDATED:
        block = replace(block, first_seen=whole_second(at), last_seen=whole_second(at))
    entry = Entry(block=block, import_id=str(transaction.state.sequence + 1))
    return changes.take_in(entries, entry) == "added"
