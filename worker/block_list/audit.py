"""The audit trail: who or what changed which entry, when.

Every transaction says it in the journal, so the trail is exactly as durable as the change. When a journal is
no longer needed for the blocks, its part of the trail is kept in a file of its own.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from worker.block_list import journal
from worker.block_list.layout import Layout
from worker.files import write_chunks_atomically


def keep(layout: Layout, epoch: int) -> None:
    """Save the trail of a journal that is about to be deleted. Raises OSError and StorageError."""
    write_chunks_atomically(layout.audit(epoch), _lines(layout.journal(epoch)))


def collect(layout: Layout) -> tuple[list[Path], list[bytes]]:
    """Return the files of the older trail, and the lines of the journals that are still in use."""
    kept = layout.audits()
    recent = [epoch for epoch in layout.journals() if epoch not in kept]
    return [layout.audit(epoch) for epoch in kept], [
        line for epoch in recent for line in _lines(layout.journal(epoch))
    ]


def read(kept: Iterable[Path], recent: Iterable[bytes]) -> Iterator[bytes]:
    """Yield all lines, oldest first."""
    for path in kept:
        with path.open("rb") as file:
            yield from file
    yield from recent


def _lines(path: Path) -> Iterator[bytes]:
    for transaction in journal.Reader(path):
        for record in transaction:
            if "sequence" in record.about:
                shown = {name: record.about[name] for name in ("sequence", "at", "by", "what", "entries")}
                yield orjson.dumps(shown) + b"\n"
