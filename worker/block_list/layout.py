"""The files of a block list, and how one generation of them gives way to the next.

::

    blocks.json            the newest snapshot; says which journal continues it
    blocks.<n>.journal     what happened since snapshot n; sealed when journal n+1 takes over
    blocks.json.previous   the snapshot before; with the journals since then it is a second whole copy
    blocks.lock            held by whoever writes
    audit.<n>.ndjson       who changed what, kept from journal n when that is deleted
    *.damaged-<time>       set aside, never read again
    blocks.incomplete.txt  present while a damage that lost something waits for a person's decision
"""

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from worker.block_list import journal, snapshot
from worker.block_list.snapshot import Header
from worker.block_list.state import State
from worker.errors import StorageError
from worker.files import replace_file, write_atomically, write_chunks_atomically


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is."""

    directory: Path

    @property
    def snapshot(self) -> Path:
        return self.directory / "blocks.json"

    @property
    def previous(self) -> Path:
        return self.directory / "blocks.json.previous"

    @property
    def lock(self) -> Path:
        return self.directory / "blocks.lock"

    @property
    def incomplete(self) -> Path:
        return self.directory / "blocks.incomplete.txt"

    def journal(self, epoch: int) -> Path:
        """Return the path of one journal."""
        return self.directory / f"blocks.{epoch}.journal"

    def audit(self, epoch: int) -> Path:
        """Return the path of what is kept of one journal."""
        return self.directory / f"audit.{epoch}.ndjson"

    def journals(self) -> list[int]:
        """Return the numbers of the journals there are, ascending."""
        return self._numbers("blocks.*.journal")

    def audits(self) -> list[int]:
        """Return the numbers of the journals of which the audit trail is kept, ascending."""
        return self._numbers("audit.*.ndjson")

    def set_aside(self) -> list[Path]:
        """Return the damaged files that were kept."""
        return sorted(self.directory.glob("blocks.*.damaged-*"))

    def _numbers(self, pattern: str) -> list[int]:
        numbers = (path.name.split(".")[1] for path in self.directory.glob(pattern))
        return sorted(int(number) for number in numbers if number.isdecimal())


def new_lineage() -> str:
    """Return a name for a list that starts or starts over, so that old journals never continue it."""
    return secrets.token_hex(8)


def start_journal(layout: Layout, header: Header) -> int:
    """Make the journal that continues a snapshot; return its length. Raises StorageError."""
    first = journal.line(journal.Record({"journal": header.epoch, "lineage": header.lineage}))
    write_atomically(layout.journal(header.epoch), first)
    return len(first)


def write_snapshot(layout: Layout, state: State, header: Header) -> None:
    """Put a new snapshot in place and keep the one before. Raises StorageError."""
    write_chunks_atomically(layout.snapshot, snapshot.chunks(state, header))


def keep_previous(layout: Layout) -> None:
    """Let ``blocks.json.previous`` be the present snapshot. Raises OSError."""
    link = layout.previous.with_name(layout.previous.name + ".tmp")
    link.unlink(missing_ok=True)
    try:
        os.link(layout.snapshot, link)
    except OSError:  # a file system without hard links
        shutil.copyfile(layout.snapshot, link)
    replace_file(link, layout.previous)


def put_aside(path: Path) -> Path:
    """Rename a damaged file so that nothing overwrites it; return its new path. Raises OSError."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    replace_file(path, aside)
    return aside


def restore(layout: Layout, backup: Path) -> None:
    """Put the content of a backup in place of whatever is there. Raises OSError, StorageError, DamagedFileError."""
    state, _ = snapshot.read(backup)
    # No journal of the old list can be mistaken for a continuation: the sequence leaves a gap.
    newest = 0
    with suppress(OSError, StorageError):
        newest = snapshot.read_header(layout.snapshot).epoch
    epoch = max([newest, *layout.journals(), *layout.audits()]) + 1
    state.sequence += 1_000_000
    header = Header(new_lineage(), epoch, state.sequence)
    start_journal(layout, header)
    if layout.snapshot.exists():
        keep_previous(layout)
    write_snapshot(layout, state, header)
    layout.incomplete.unlink(missing_ok=True)
