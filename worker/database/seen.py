"""What a process has seen of its file. Where another took its place, or it became older, that is damage.

Somebody may copy an old file over the one in use. SQLite would go on in it without a word, and what was acknowledged
since would be missing.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

from worker.sentences import Sentence

_File = tuple[int, int, int]
# A look takes as long as a question. Nobody copies a file over another one in less than this.
_EVERY = 0.002  # seconds


class Seen:
    """The file itself and its length, its lineage and its newest event, as they were at the last look.

    Calls raise OSError where the file cannot be looked at.
    """

    def __init__(self, path: Path) -> None:
        self._path = str(path.absolute())
        self._file: _File | None = None
        self._newest = 0
        self._next_look = 0.0
        self.lineage = ""

    def touched(self) -> bool:
        """Return whether anybody has written to the file itself since, as SQLite does now and then."""
        if (now := time.monotonic()) < self._next_look:
            return False
        if self._look() != self._file:
            return True
        self._next_look = now + _EVERY
        return False

    def stored(self, newest: int) -> None:
        """Remember the newest event that is on disk now."""
        self._newest = max(newest, self._newest)

    def wrong(self, ask: Callable[[], tuple[str, int]]) -> Sentence | None:
        """Look again; return what is wrong, None if nothing is.

        ask: reads lineage and newest event of what is stored, on a connection opened since the file was touched.
        """
        # Another thread may look, too.
        known, newest_known, lineage_known = self._file, self._newest, self.lineage
        file = self._look()
        lineage, newest = ask()
        if known is not None and (file[0] != known[0] or lineage != lineage_known):
            return Sentence("another file has taken its place")
        if known is not None and (file[1] < known[1] or newest < newest_known):
            return Sentence("it is older than it was before")
        self._file, self._newest, self.lineage = file, max(newest, self._newest), lineage
        return None

    def _look(self) -> _File:
        found = os.stat(self._path)  # noqa: PTH116 - so often; Path takes twice as long
        return found.st_ino, found.st_size, found.st_mtime_ns
