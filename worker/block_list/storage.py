"""A TinyDB storage that appends what changed instead of rewriting everything.

TinyDB's own JSON storage parses and rewrites the whole file at every operation, in place. This one keeps a
snapshot and a journal (``layout.py``), shows TinyDB the documents parsed one by one as they are asked for,
and makes a transaction durable by one append, whatever the length of the list.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any

from tinydb.storages import Storage

from worker.block_list import audit, journal, layout, recovery, replay, snapshot
from worker.block_list.layout import Layout
from worker.block_list.lock import WriteLock
from worker.block_list.snapshot import Header
from worker.block_list.state import Changes, State
from worker.block_list.transaction import About, LazyTable, Transaction
from worker.errors import DamagedFileError, StorageError
from worker.files import storage_error

COMPACT_AT = 4_000_000  # bytes of journal; or half the snapshot, if that is more

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """How far this process has read: the snapshot's identity, the journal's number, path and offset in it."""

    header: Header
    seen: tuple[int, int, int] | None
    epoch: int
    journal: str
    end: int


class JournalStorage(Storage):
    """The documents of one directory, for any number of threads and processes."""

    def __init__(self, directory: Path, *, compact_at: int = COMPACT_AT) -> None:
        self._layout = Layout(directory)
        self._compact_at = compact_at
        self.still = RLock()
        self._writers = WriteLock(self._layout.lock)
        self._state: State | None = None
        self._snapshot = str(self._layout.snapshot)
        self._place = self._at(Header("", 0, 0), None, 0, 0)
        self._unsynced = True
        self._transaction: Transaction | None = None

    def current(self) -> State:
        """Return the newest state; hold the lock ``still`` for as long as you look at it."""
        with self.still:
            return self._refresh()

    @contextmanager
    def writing(self, about: About) -> Iterator[Transaction]:
        """Collect changes and make them durable at the end; an exception inside discards them all."""
        with self.still:
            if self._transaction is not None:
                yield self._transaction
                return
            with self._writers.held():
                state = self._refresh()
                self._sync_what_others_wrote()
                self._transaction = Transaction(state)
                try:
                    yield self._transaction
                    changes = self._transaction.changes()
                finally:
                    self._transaction = None
                if changes:
                    self._commit(state, changes, about)

    def generation(self) -> str:
        """A value that changes with every transaction."""
        with self.still:
            state = self.current()
            return f"{self._place.header.lineage}-{state.sequence}"

    def problems(self) -> list[str]:
        """Return a sentence for each damaged file that was set aside."""
        return [
            f"{path.name} was damaged and set aside, and the list was recovered; delete it if you do not need it."
            for path in self._layout.set_aside()
        ]

    def audit(self) -> Iterator[bytes]:
        """Yield the audit trail, oldest first, as JSON lines."""
        with self.still, self._writers.held():
            self._refresh()
            kept, recent = audit.collect(self._layout)
        yield from audit.read(kept, recent)

    def backup(self) -> Iterator[bytes]:
        """Yield the whole list as a snapshot file that ``restore`` takes, piece by piece: one whole state."""
        with self.still:
            state = self.current().copy()
        yield from snapshot.chunks(state, replace(self._place.header, sequence=state.sequence))

    def restore(self, path: Path) -> None:
        """Let the list be what a backup says; a backup that fails its check changes nothing."""
        with self.still, self._writers.held():
            try:
                layout.restore(self._layout, path)
            except OSError as error:
                raise storage_error("read", path, error) from error
            self._state = None

    # What TinyDB itself calls.

    def read(self) -> dict[str, dict[str, Any]] | None:
        with self.still:
            if self._transaction is not None:
                return {name: self._transaction.table(name) for name in self._transaction.tables()}  # type: ignore[misc]  # a lazy mapping stands in for the dict
            return {name: LazyTable(table) for name, table in self.current().tables.items()}  # type: ignore[misc]  # as above

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        with self.writing(About("replace all", by="tinydb")) as transaction:
            for name in {*transaction.tables(), *data}:
                transaction.table(name).become(data.get(name, {}))

    # Reading.

    def _refresh(self) -> State:
        if self._state is not None and self._unchanged():
            return self._state
        try:
            try:
                if self._state is None or not self._follow(self._state):
                    self._open()
                self._unsynced = True
            except DamagedFileError:
                with self._writers.held():  # a writer may have been at work while we read
                    self._open_or_recover()
        except OSError as error:
            raise storage_error("read", self._layout.snapshot, error) from error
        assert self._state is not None  # noqa: S101 - either branch above has set it
        return self._state

    def _at(self, header: Header, seen: tuple[int, int, int] | None, epoch: int, end: int) -> _Place:
        return _Place(header, seen, epoch, str(self._layout.journal(epoch)), end)

    def _unchanged(self) -> bool:
        return _identity(self._snapshot) == self._place.seen and self._place.end == _size(self._place.journal)

    def _follow(self, state: State) -> bool:
        """Apply what others appended; return False if the files do not continue what we have."""
        place = self._place
        seen = _identity(self._snapshot)
        if seen is None or place.seen is None:
            return False
        header = place.header if seen == place.seen else snapshot.read_header(self._layout.snapshot)
        if header.lineage != place.header.lineage:
            return False
        end = replay.follow(self._layout, state, replay.Point(header.lineage, place.epoch, place.end))
        if end is None or end.epoch < header.epoch:
            return False
        self._place = self._at(header, seen, end.epoch, end.offset)
        return True

    def _open(self) -> None:
        """Read everything anew. Raises OSError and DamagedFileError."""
        if self._layout.incomplete.exists():
            raise recovery.undecided(self._layout)
        seen = _identity(self._snapshot)
        if seen is None:
            if self._layout.journals() or self._layout.previous.exists():
                raise DamagedFileError(f"{self._layout.snapshot} is missing.")
            self._state, self._place = State(), self._at(Header("", 0, 0), None, 0, 0)
            return
        state, header = snapshot.read(self._layout.snapshot)
        end = replay.follow(self._layout, state, replay.Point(header.lineage, header.epoch, 0))
        if end is None:
            raise DamagedFileError(f"A journal of {self._layout.snapshot} is damaged or missing.")
        self._state, self._place = state, self._at(header, seen, end.epoch, end.offset)

    def _open_or_recover(self) -> None:
        if self._layout.incomplete.exists():
            raise recovery.undecided(self._layout)
        try:
            self._open()
        except DamagedFileError as damage:
            self._state = None
            _log.warning("%s", recovery.recover(self._layout, damage))
            self._open()

    # Writing.

    def _commit(self, state: State, changes: Changes, about: About) -> None:
        if self._place.seen is None:
            self._start(state)
        path = self._layout.journal(self._place.epoch)
        lines = replay.lines(state, changes, about)
        self._place = replace(self._place, end=journal.append(path, self._place.end, lines))
        state.apply(changes, state.sequence + 1)
        if self._place.end > max(self._compact_at, _size(self._snapshot) // 2):
            try:
                self._compact(state)
            except StorageError as error:
                # The transaction itself is safe in the journal; a later one tries again.
                _log.warning("The journal could not be folded into the snapshot: %s", error)

    def _start(self, state: State) -> None:
        header = Header(layout.new_lineage(), 0, state.sequence)
        # The journal first: a snapshot without its journal has lost what came after it.
        end = layout.start_journal(self._layout, header)
        layout.write_snapshot(self._layout, state, header)
        self._place = self._at(header, _identity(self._snapshot), 0, end)

    def _compact(self, state: State) -> None:
        """Fold the journal into a new snapshot.

        Stopped between any two steps, the files still say the same: a sealed journal is followed by the next
        one whether or not the snapshot between them was written.
        """
        header = Header(self._place.header.lineage, self._place.epoch + 1, state.sequence)
        try:
            end = layout.start_journal(self._layout, header)
            journal.append(self._layout.journal(self._place.epoch), self._place.end, [replay.SEAL])
            self._place = self._at(self._place.header, self._place.seen, header.epoch, end)
            layout.keep_previous(self._layout)
            layout.write_snapshot(self._layout, state, header)
            obsolete = [epoch for epoch in self._layout.journals() if epoch < self._place.header.epoch]
            self._place = replace(self._place, header=header, seen=_identity(self._snapshot))
            for epoch in obsolete:
                audit.keep(self._layout, epoch)
                self._layout.journal(epoch).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error("write", self._layout.snapshot, error) from error

    def _sync_what_others_wrote(self) -> None:
        """Make durable what a process appended that may have been killed before its own fsync.

        Without this a notice could be called known, and its mail filed, while it is not yet on the disk.
        """
        path = self._layout.journal(self._place.epoch)
        try:
            if self._unsynced and path.exists():
                with path.open("r+b") as file:
                    os.fsync(file.fileno())
        except OSError as error:
            raise storage_error("write", path, error) from error
        self._unsynced = False


# Every question to the list asks these two first, so they take plain strings: a Path costs more than the call.


def _identity(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - see above
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - see above
    except FileNotFoundError:
        return 0
