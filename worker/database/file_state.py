"""Detect that the database file was replaced, or became older.

Somebody may copy an old file over the one in use. SQLite would silently continue with it, and changes since then would
be lost.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from worker.sentences import Sentence

_File = tuple[int, int, int]
# Seconds between two looks. A look costs as much as a query, and replacing a file takes longer than this.
_LOOK_EVERY = 0.002


class FileState:
    """Identity, size and time of the file, its lineage and its newest event, as of the last look.

    Raises OSError if the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path.absolute())
        self._file: _File | None = None  # inode, size, time of the last write
        self._newest = 0
        self._next_look = 0.0
        self.lineage = ""

    def has_changed(self) -> bool:
        """Return whether the file was written since the last look. SQLite itself also writes to it sometimes."""
        if (now := time.monotonic()) < self._next_look:
            return False
        if self._stat() != self._file:
            return True
        self._next_look = now + _LOOK_EVERY
        return False

    def committed(self, newest: int) -> None:
        """Store the number of the newest event on disk."""
        self._newest = max(newest, self._newest)

    def find_problem(self, read_newest: Callable[[], tuple[str, int]]) -> Sentence | None:
        """Look again; return what is wrong, None if nothing is.

        read_newest: reads lineage and newest event, on a connection opened after the file changed.
        """
        # Read before the look, since another thread may look at the same time.
        known_file, known_newest, known_lineage = self._file, self._newest, self.lineage
        file = self._stat()
        lineage, newest = read_newest()
        if known_file is not None and (file[0] != known_file[0] or lineage != known_lineage):
            return Sentence("another file has taken its place")
        if known_file is not None and (file[1] < known_file[1] or newest < known_newest):
            return Sentence("it is older than it was before")
        self._file, self._newest, self.lineage = file, max(newest, self._newest), lineage
        return None

    def _stat(self) -> _File:
        found = os.stat(self._path)  # noqa: PTH116 - called often; Path takes twice as long
        return found.st_ino, found.st_size, found.st_mtime_ns
