"""The block list. A change is on disk when the call returns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

from tinydb import where

from worker.block_list import bulk, changes
from worker.block_list.documents import one_line, reason_of, storable, to_block
from worker.block_list.entries import Entries, changing, expect_all
from worker.block_list.formats import imports
from worker.block_list.formats.exports import export_format
from worker.block_list.formats.model import Import, Preview
from worker.block_list.keys import Key, parse_key
from worker.block_list.listing import EVERYTHING, Listing, Query
from worker.block_list.model import (
    ALL_KINDS,
    KINDS_STILL_ALLOWED,
    Block,
    Entry,
    KeyResult,
    Result,
    Sighting,
    Unblocking,
    block_for,
    whole_second,
)
from worker.database import Database, parse_time
from worker.errors import UsageError

MAX_NOTE = 1000  # characters


def _utc_now() -> datetime:
    return datetime.now(UTC)


class BlockList:
    """Buyers who must not get messages.

    Keys are accepted in any spelling (see :func:`parse_key`). Raises StorageError when the disk fails, DamagedFileError
    when the database is damaged, and BusyError when another process locks it for too long; then nothing was changed.
    listing: reads the same list in pages.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime] = _utc_now) -> None:
        expect_all(database)
        self._database = database
        self._blocks = database.documents("blocks")
        self._now = now
        self.listing = Listing(database)

    def __len__(self) -> int:
        return self.listing.count()

    @property
    def version(self) -> str:
        """A value that changes with the content, usable as an ETag."""
        return self._database.version()

    def get(self, key: str) -> Block | None:
        """Return the block of a key with its evidence, or None. Raises UsageError for an invalid key."""
        found = self.listing.key_of(parse_key(key))
        document = self._blocks.find(found)
        if document is None:
            return None
        return to_block(document, self._database.documents("notices").search(where("block") == found))

    def check(self, keys: Iterable[str]) -> list[Result]:
        """Return for each key, in this order, whether it is blocked. Raises UsageError for an invalid key."""
        return self.look_up([(key, parse_key(key)) for key in keys])

    def look_up(self, keys: Sequence[tuple[str, Key]]) -> list[Result]:
        """Return for each key whether it is blocked. keys: the text of the request, and its parsed key."""
        orders = [key.text for _, key in keys if key.kind == "order"]
        buyers = self._database.documents("orders").find_many(orders) if orders else {}
        resolved = [(text, buyers[key.text]["key"] if key.text in buyers else key.text) for text, key in keys]
        kinds = self._blocks.values("kind", {key for _, key in resolved})
        # The key is empty if the order's record cannot be read; its buyer may be blocked.
        return [_result(text, blocked=not key or key in kinds, kind=kinds.get(key)) for text, key in resolved]

    def record(self, sightings: Sequence[Sighting]) -> int:
        """Block the buyers of these notices in one transaction; return how many notices changed anything.

        Idempotent: a known notice (account and Message-ID) changes nothing.
        """
        by = "notices to " + ", ".join(sorted({sighting.account for sighting in sightings}))
        with changing(self._database, "record", by=by, at=self._now()) as (entries, _):
            entries.read(it.address for it in sightings if it.address)
            return sum(changes.record(entries, sighting) for sighting in sightings)

    def block(self, keys: Iterable[str], *, note: str = "", by: str) -> list[KeyResult]:
        """Block keys that a person entered; return one result per key, in the same order.

        Valid keys are blocked even if others are rejected. Raises UsageError for a note longer than MAX_NOTE.
        """
        note, at = _note(note), self._now()
        with changing(self._database, "block", by=by, at=at) as (entries, _):
            return [_block_one(entries, key, note=note, at=at) for key in keys]

    def unblock(self, key: str, *, by: str) -> bool:
        """Unblock a buyer; return False if there was no such block.

        The entry is kept as unblocked: only a later notice, or a person, blocks the buyer again.
        """
        parsed, at = parse_key(key), self._now()
        with changing(self._database, "unblock", by=by, at=at) as (entries, _):
            return changes.unblock(entries, parsed, at=at)

    def annotate(self, key: str, note: str, *, by: str) -> str | None:
        """Replace the note of a block; return the former note, None if there is no such block.

        Raises UsageError for a note longer than MAX_NOTE.
        """
        parsed, note = parse_key(key), _note(note)
        with changing(self._database, "note", by=by, at=self._now()) as (entries, _):
            return changes.annotate(entries, parsed, note)

    def unblock_all(self, keys: Iterable[str], *, by: str) -> Unblocking:
        """Unblock these buyers in one transaction. Keys that are not blocked are ignored."""
        parsed, at = [parse_key(key) for key in keys], self._now()
        with changing(self._database, "unblock", by=by, at=at) as (entries, change):
            done = [key.text for key in parsed if changes.unblock(entries, key, at=at)]
        return Unblocking(change.sequence, done)

    def unblock_found(self, query: Query, *, expected: int, by: str) -> Unblocking:
        """Unblock all blocks of a query in one transaction. expected: the number that the user saw.

        Raises UsageError if the number is different now: the user has not seen these blocks.
        """
        with self._database.together():
            keys = [block.key for block in self.blocks(query)]
            if len(keys) != expected:
                raise UsageError(
                    "The list has changed meanwhile, and nobody was unblocked; look at it again."
                )
            return self.unblock_all(keys, by=by)

    def undo_unblock(self, unblocking: int, *, by: str) -> int:
        """Block the buyers of an unblocking again, except those changed since; return how many.

        unblocking: ``Unblocking.id``. Raises UsageError if there is no such unblocking.
        """
        with changing(self._database, "undo unblock", by=by, at=self._now()) as (entries, _):
            event = self._database.event(unblocking)
            if event is None or event.what != "unblock":
                raise UsageError("There is no unblocking {unblocking} to undo.", unblocking=unblocking)
            at = parse_time(event.at)
            return sum(changes.block_again(entries, key, unblocked_at=at) for _, key in event.entries)

    def resolve(self, order_id: str, address: str, *, by: str) -> bool:
        """Add the buyer's alias to a block that has only an order; return False if there is no such block."""
        order, alias = parse_key(order_id), parse_key(address)
        if (order.kind, alias.kind) != ("order", "alias"):
            raise UsageError("Resolving takes an order ID and a buyer's address, in this order.")
        with changing(self._database, "resolve", by=by, at=self._now()) as (entries, _):
            return changes.resolve(entries, order.text, alias)

    def export(
        self, format_name: str = "json", *, query: Query = EVERYTHING, exported_at: datetime | None = None
    ) -> Iterator[bytes]:
        """Yield a snapshot of the list in a format of ``exports.py``, in chunks.

        exported_at: the time in the JSON export, default now; the same content and time give the same bytes. Raises
        UsageError for an unknown format before the first chunk.
        """
        return self.counted_export(format_name, query=query, exported_at=exported_at)[1]

    def counted_export(
        self, format_name: str, *, query: Query = EVERYTHING, exported_at: datetime | None = None
    ) -> tuple[int, Iterator[bytes]]:
        """Return the number of blocks in an export, and the export."""
        writer = export_format(format_name).write
        count, documents = self.listing.documents(query)
        return count, writer(count, documents, whole_second(exported_at or self._now()))

    def preview_import(self, source: bytes | BinaryIO, format_name: str = "auto") -> Preview:
        """Return what an import of this file would do, without doing it. Raises the UsageError of ``imports.read``."""
        return bulk.preview(self._database, imports.read(source, format_name))

    def apply_import(self, preview: Preview, *, source: str = "", by: str) -> Import:
        """Apply a preview in one transaction. source: the file name, for people."""
        return bulk.apply(self._database, preview, source=storable(source), by=by, at=self._now())

    def undo_import(self, import_id: str, *, by: str) -> int:
        """Remove the blocks that an import added, except those confirmed since; return how many.

        Orders that it resolved stay resolved. Raises UsageError for an unknown import.
        """
        return bulk.undo(self._database, import_id, by=by, at=self._now())

    def imports(self) -> list[Import]:
        """Return the imports, newest first."""
        return bulk.list_imports(self._database)

    def unresolved(self) -> list[Block]:
        """Return the blocks that have only an order, without evidence."""
        by_order = where("by_order") == True  # noqa: E712 - TinyDB makes a query of it
        return [to_block(it) for it in self._blocks.walk("first_seen", matching=by_order)]

    def blocks(self, query: Query = EVERYTHING) -> Iterator[Block]:
        """Yield a snapshot of the blocks in force without evidence, sorted by first_seen, then key."""
        _, documents = self.listing.documents(query)
        return map(to_block, documents)


def _result(text: str, *, blocked: bool, kind: object) -> Result:
    if not blocked:
        return Result(text, False, None, ALL_KINDS)
    return Result(text, True, reason_of(kind), KINDS_STILL_ALLOWED)


def _note(text: str) -> str:
    if len(text) > MAX_NOTE:
        raise UsageError("The note is longer than {most} characters; shorten it.", most=MAX_NOTE)
    return one_line(text)


def _block_one(entries: Entries, text: str, *, note: str, at: datetime) -> KeyResult:
    try:
        key = parse_key(text)
    except UsageError as error:
        return KeyResult(text, "rejected", str(error))
    block = block_for(key, reason="manual", note=note, at=at)
    return KeyResult(text, "blocked" if changes.block(entries, Entry(block=block)) else "known")
