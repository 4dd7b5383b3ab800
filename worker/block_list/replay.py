"""Transactions as journal lines, and journals applied to a state."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from worker.block_list import journal
from worker.block_list.documents import format_time
from worker.block_list.journal import Record, Transaction
from worker.block_list.layout import Layout
from worker.block_list.state import BLOCKS, UNBLOCKED, Changes, State
from worker.block_list.transaction import About

SEAL = journal.line(Record({"sealed": True}))
"""The last line of a journal: the next one goes on from here."""

_DOCUMENTS_PER_LINE = 5000


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the chain of journals."""

    lineage: str
    epoch: int
    offset: int


def lines(state: State, changes: Changes, about: About) -> Iterator[bytes]:
    """Yield the journal lines that make these changes to state."""
    flat = [(table, key, raw) for table, documents in changes.items() for key, raw in documents.items()]
    rest = iter(flat)
    written = 0
    while part := list(islice(rest, _DOCUMENTS_PER_LINE)):
        written += len(part)
        told: dict[str, Any] = {
            "sequence": state.sequence + 1,
            "at": format_time(about.moment),
            "by": about.by,
            "what": about.what,
            "entries": list(_entries(state, changes, part)),
        }
        if written < len(flat):
            told["more"] = True
        yield journal.line(Record(told, part))


def follow(layout: Layout, state: State, point: Point) -> Point | None:
    """Apply to state what the journals hold after point; return where they end.

    None if they are damaged, missing or do not continue point; the state is then of no use. Raises OSError.
    """
    while True:
        path = layout.journal(point.epoch)
        reader = journal.Reader(path, point.offset)
        sealed = False
        try:
            if path.stat().st_size < point.offset:
                return None
            for transaction in reader:
                if not apply(state, transaction, point):
                    return None
                sealed = is_seal(transaction)
        except FileNotFoundError:
            return None
        if reader.damaged or reader.end == 0:
            return None
        if not sealed:
            return Point(point.lineage, point.epoch, reader.end)
        point = Point(point.lineage, point.epoch + 1, 0)


def apply(state: State, transaction: Transaction, point: Point) -> bool:
    """Apply one transaction; return False if it cannot be the next one."""
    first = transaction[0].about
    if "journal" in first:
        return bool(first["journal"] == point.epoch and first["lineage"] == point.lineage)
    if is_seal(transaction):
        return True
    if first["sequence"] != state.sequence + 1:
        return False
    state.apply(changes_of(transaction), state.sequence + 1)
    return True


def is_seal(transaction: Transaction) -> bool:
    """Return whether this line only says that the next journal goes on."""
    return bool(transaction[0].about.get("sealed"))


def changes_of(transaction: Transaction) -> dict[str, dict[str, bytes | None]]:
    """Return what a transaction changes."""
    changes: dict[str, dict[str, bytes | None]] = {}
    for record in transaction:
        for table, key, raw in record.documents:
            changes.setdefault(table, {})[key] = raw
    return changes


def _entries(
    state: State, changes: Changes, part: list[tuple[str, str, bytes | None]]
) -> Iterator[tuple[str, str]]:
    """Yield what becomes of each entry, in the words of the audit trail."""
    for table, key, raw in part:
        if table not in (BLOCKS, UNBLOCKED):
            continue
        if raw is not None:
            known = key in state.tables[table]
            yield ("changed" if known else "blocked" if table == BLOCKS else "unblocked"), key
        elif not any(changes.get(other, {}).get(key) for other in (BLOCKS, UNBLOCKED)):
            yield "removed", key
