"""Keep the copies as the list is: look every few seconds, and write those that are older."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from worker.block_list import BlockList
from worker.database import Database
from worker.publish.copies import Copies, Copy
from worker.publish.writing import write

# A list that changes all the time, as in a first pass, is not waited for any longer.
PATIENCE = 10.0  # seconds
RETRY = 15.0  # seconds, after a write that failed
# Some file systems keep times in steps of two seconds.
_EXACT = 2.0

log = logging.getLogger(__name__)


class Follower:
    """Writes the copies of one database. monotonic: seconds that never run backwards."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._copies = Copies(database)
        self._block_list = BlockList(database, now=now)
        self._now = now
        self._monotonic = monotonic
        self._seen = ""
        self._old_since: float | None = None
        self._retry_at: dict[str, float] = {}

    def look(self) -> int:
        """Write the copies that are old, once the list was still from one look to the next; return how many.

        Without old ones it costs two short queries. Raises StorageError.
        """
        moment = self._monotonic()
        old = [it for it in self._old() if moment >= self._retry_at.get(it.path, moment)]
        still, self._seen = self._seen == self._block_list.version, self._block_list.version
        if not old:
            self._old_since = None
            return 0
        if self._old_since is None:
            self._old_since = moment
        if not still and moment - self._old_since < PATIENCE:
            return 0
        self._old_since = None
        for it in old:
            self._write(it, moment)
        return len(old)

    def _old(self) -> list[Copy]:
        version = self._block_list.version
        return [it for it in self._copies.all() if it.failure or it.version != version or _is_behind(it)]

    def _write(self, copy: Copy, moment: float) -> None:
        after = write(self._copies, self._block_list, copy, now=self._now())
        self._retry_at.pop(copy.path, None)
        if after.failure:
            self._retry_at[copy.path] = moment + RETRY
            if after.failure != copy.failure:
                log.warning("%s", after.problem)


def _is_behind(copy: Copy) -> bool:
    """Return whether the file is missing, or an older one was put in its place."""
    try:
        return Path(copy.path).stat().st_mtime < copy.modified - _EXACT
    except OSError:
        return True
