"""The block list: ask it, tell it, and what a call has returned is on disk."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from worker.block_list import bulk, changes, imports
from worker.block_list.database import Database
from worker.block_list.documents import format_time, one_line, storable, to_block
from worker.block_list.entries import OpenEntries
from worker.block_list.exports import export_format
from worker.block_list.import_model import Import, Preview
from worker.block_list.keys import Key, parse_key
from worker.block_list.merging import whole_second
from worker.block_list.model import (
    ALL_KINDS,
    KINDS_STILL_ALLOWED,
    Block,
    Entry,
    KeyResult,
    Reason,
    Result,
    Sighting,
)
from worker.block_list.selection import Selection
from worker.block_list.state import BLOCKS, State, last_seen_of, parse, reason_of
from worker.block_list.storage import COMPACT_AT
from worker.block_list.transaction import About
from worker.errors import UsageError

LONGEST_NOTE = 1000  # characters


def _utc_now() -> datetime:
    return datetime.now(UTC)


class BlockList:
    """Which buyers must not be written to, kept in a directory that threads and processes may share.

    Keys are taken in any spelling (see :func:`parse_key`). Every call sees whatever other processes have
    finished. Calls raise StorageError when the disk fails, DamagedFileError when a file cannot be trusted and
    BusyError when another process holds the list for too long; the list is then as it was before.

    compact_at: bytes of journal after which it is folded into the snapshot, if half the snapshot is not more.
    """

    def __init__(
        self, directory: Path, *, now: Callable[[], datetime] = _utc_now, compact_at: int = COMPACT_AT
    ) -> None:
        self._storage = Database(directory, compact_at=compact_at).journal
        self._now = now

    def __len__(self) -> int:
        return len(self._storage.current().tables[BLOCKS])

    @property
    def generation(self) -> str:
        """A value that changes whenever the content does; fit for an ETag."""
        return self._storage.generation()

    def problems(self) -> list[str]:
        """Return a sentence for each thing about the files that their owner should know."""
        return self._storage.problems()

    def get(self, key: str) -> Block | None:
        """Return the block that key means, or None. Raises UsageError if it is no key."""
        parsed = parse_key(key)
        with self._storage.still:
            raw = _in_force(self._storage.current(), parsed)
        return to_block(parse(raw)) if raw is not None else None

    def check(self, keys: Iterable[str]) -> list[Result]:
        """Say for each key, in the order asked, whether it is blocked. Raises UsageError for what is no key."""
        parsed = [(key, parse_key(key)) for key in keys]
        with self._storage.still:
            state = self._storage.current()
            return [_result(asked, _in_force(state, key)) for asked, key in parsed]

    def record(self, sightings: Sequence[Sighting]) -> int:
        """Block the buyers of these notices, all in one durable step; return how many told anything new.

        The same notice (account and Message-ID) again changes nothing.
        """
        by = "notices to " + ", ".join(sorted({sighting.account for sighting in sightings}))
        with self._writing("record", by=by, at=self._now()) as entries:
            return sum(changes.record(entries, sighting) for sighting in sightings)

    def block(
        self, keys: Iterable[str], *, note: str = "", reason: Reason = "manual", by: str
    ) -> list[KeyResult]:
        """Block what a person named; one result a key, in the order given. The good keys are blocked
        even if others are rejected.

        Raises UsageError for a note of more than 1,000 characters.
        """
        if len(note) > LONGEST_NOTE:
            raise UsageError(f"The note is longer than {LONGEST_NOTE:,} characters; shorten it.")
        note, at = one_line(note), self._now()
        with self._writing("block", by=by, at=at) as entries:
            return [_block_one(entries, key, note=note, reason=reason, at=at) for key in keys]

    def unblock(self, key: str, *, by: str) -> bool:
        """Unblock a buyer; return False if there was no such block.

        It is remembered: only a notice received after this moment, or a person, blocks the buyer again.
        """
        parsed, at = parse_key(key), self._now()
        with self._writing("unblock", by=by, at=at) as entries:
            return changes.unblock(entries, parsed, at=at)

    def resolve(self, order_id: str, address: str, *, by: str) -> bool:
        """Give a block known by its order alone the buyer's alias; return False if there is no such block."""
        order, alias = parse_key(order_id), parse_key(address)
        if (order.kind, alias.kind) != ("order", "alias"):
            raise UsageError("Resolving takes an order ID and a buyer's address, in this order.")
        with self._writing("resolve", by=by, at=self._now()) as entries:
            return changes.resolve(entries, order.text, alias)

    @contextmanager
    def _writing(self, what: str, *, by: str, at: datetime) -> Iterator[OpenEntries]:
        with self._storage.writing(About(what, by=by, at=at)) as transaction:
            yield OpenEntries(transaction)

    def export(
        self, format_name: str = "json", *, since: datetime | None = None, exported_at: datetime | None = None
    ) -> Iterator[bytes]:
        """Yield the list in one of the formats of ``exports.py``, piece by piece: one whole state.

        since: only blocks last seen at this moment or later. exported_at: what the JSON export says, now by
        default; for the same content and the same moment it is the same to the byte. Raises UsageError for
        an unknown format before anything is yielded.
        """
        writer = export_format(format_name).write
        raws = list(Selection(since=since).of_raw(self._in_order()))
        return writer(raws, whole_second(exported_at or self._now()))

    def preview_import(self, source: bytes | BinaryIO, format_name: str = "auto") -> Preview:
        """Say what an import of this file would do; nothing changes. Raises the UsageError of ``imports.read``."""
        found = imports.read(source, format_name)
        with self._storage.still:
            return bulk.preview(self._storage.current(), found)

    def apply_import(self, preview: Preview, *, source: str = "", by: str) -> Import:
        """Do what the preview said, all of it or nothing. source: the name of the file, for people."""
        at = self._now()
        with self._storage.writing(About("import", by=by, at=at)) as transaction:
            return bulk.apply(transaction, preview, source=storable(source), by=by, at=at)

    def undo_import(self, import_id: str, *, by: str) -> int:
        """Take out what an import added and nothing else has confirmed since; return how many blocks.

        Orders that it resolved stay resolved. Raises UsageError for an unknown import.
        """
        at = self._now()
        with self._storage.writing(About("undo import", by=by, at=at)) as transaction:
            return bulk.undo(transaction, import_id, at=at)

    def imports(self) -> list[Import]:
        """Return the imports that were made, newest first."""
        with self._storage.still:
            return bulk.made(self._storage.current())

    def backup(self) -> Iterator[bytes]:
        """Yield a file that ``restore`` takes, piece by piece: one whole state, unblocked buyers included."""
        return self._storage.backup()

    def restore(self, path: Path) -> None:
        """Replace the list by a backup; this also ends the refusal of a damaged list.

        Raises DamagedFileError or StorageError, and changes nothing, if the backup cannot be read.
        """
        self._storage.restore(path)

    def audit(self) -> Iterator[bytes]:
        """Yield the audit trail, oldest first: JSON lines that say who or what changed which entries, when."""
        return self._storage.audit()

    def expire(self, days: int, *, by: str = "expiry") -> int:
        """Unblock every buyer last seen more than this many days ago; return how many.

        They are remembered like any unblocked buyer: a notice received from now on blocks them again.
        """
        at = self._now()
        limit = format_time(whole_second(at - timedelta(days=days))).encode()
        with self._storage.writing(About("expire", by=by, at=at)) as transaction:
            old = [key for key, raw in transaction.state.tables[BLOCKS].items() if last_seen_of(raw) < limit]
            entries = OpenEntries(transaction)
            return sum(changes.unblock(entries, parse_key(key), at=at) for key in old)

    def unresolved(self) -> list[Block]:
        """Return the blocks that are known by their order alone."""
        raws = [raw for raw in self._in_order() if raw.startswith(b'{"address":null')]
        return [to_block(parse(raw)) for raw in raws]

    def blocks(
        self,
        *,
        since: datetime | None = None,
        reason: Reason | None = None,
        account: str | None = None,
        q: str = "",
        newest_first: bool = False,
    ) -> Iterator[Block]:
        """Yield the blocks in force, sorted by first_seen, then key: one whole state, whatever happens meanwhile.

        since: last seen at this moment or later. q: part of the alias, an order ID or the note.
        """
        raws = self._in_order()
        return Selection(since, reason, account, q).of(reversed(raws) if newest_first else raws)

    def stored(self) -> Mapping[str, bytes]:
        """Return every block in force as it is stored, by key: one whole state, which nothing changes later.

        Parsing is left to the caller, who may remember most of it: a block that did not change is the same
        object as before, and the keys keep their order. ``state.parse`` and ``documents.to_block`` read one.
        """
        with self._storage.still:
            return dict(self._storage.current().tables[BLOCKS])

    def _in_order(self) -> list[bytes]:
        with self._storage.still:
            return self._storage.current().blocks_in_order()


def _in_force(state: State, key: Key) -> bytes | None:
    """Return the raw block that a key means, unless it is unblocked."""
    text = key.text if key.kind == "alias" else state.key_of_order.get(key.text, "")
    return state.tables[BLOCKS].get(text)


def _result(asked: str, raw: bytes | None) -> Result:
    if raw is None:
        return Result(asked, False, None, ALL_KINDS)
    return Result(asked, True, reason_of(raw), KINDS_STILL_ALLOWED)


def _block_one(entries: changes.Entries, text: str, *, note: str, reason: Reason, at: datetime) -> KeyResult:
    try:
        key: Key = parse_key(text)
    except UsageError as error:
        return KeyResult(text, "rejected", str(error))
    block = changes.manual_block(key, reason=reason, note=note, at=at)
    return KeyResult(text, "blocked" if changes.block(entries, Entry(block=block)) else "known")
