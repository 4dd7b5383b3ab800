"""Look every few seconds for outdated copies, and write them."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from worker.block_list import BlockList
from worker.database import Database
from worker.publish.copies import Copies, Copy
from worker.publish.writing import write

# How long a write waits for a list that changes all the time, for example during a first pass.
MAX_WAIT = 10.0  # seconds
RETRY_DELAY = 15.0  # seconds, after a failed write
# Some file systems store times in steps of two seconds.
_TIME_RESOLUTION = 2.0

log = logging.getLogger(__name__)


class Follower:
    """Writes the copies of one database. monotonic: returns seconds of a monotonic clock."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._copies = Copies(database)
        self._block_list = BlockList(database, now=now)
        self._now = now
        self._monotonic = monotonic
        self._last_version = ""
        self._outdated_since: float | None = None
        self._retry_at: dict[str, float] = {}

    def look(self) -> int:
        """Write outdated copies if the list has not changed since the last look; return their number.

        Without outdated copies it costs two short queries. Raises StorageError.
        """
        moment = self._monotonic()
        outdated = [it for it in self._outdated() if moment >= self._retry_at.get(it.path, moment)]
        version = self._block_list.version
        unchanged, self._last_version = version == self._last_version, version
        if not outdated:
            self._outdated_since = None
            return 0
        if self._outdated_since is None:
            self._outdated_since = moment
        if not unchanged and moment - self._outdated_since < MAX_WAIT:
            return 0
        self._outdated_since = None
        for it in outdated:
            self._write(it, moment)
        return len(outdated)

    def _outdated(self) -> list[Copy]:
        version = self._block_list.version
        return [it for it in self._copies.all() if it.failure or it.version != version or _is_behind(it)]

    def _write(self, copy: Copy, moment: float) -> None:
        after = write(self._copies, self._block_list, copy, now=self._now())
        self._retry_at.pop(copy.path, None)
        if after.failure:
            self._retry_at[copy.path] = moment + RETRY_DELAY
            if after.failure != copy.failure:
                log.warning("%s", after.problem)


def _is_behind(copy: Copy) -> bool:
    """Return whether the file is missing or was replaced by an older one."""
    try:
        return Path(copy.path).stat().st_mtime < copy.modified - _TIME_RESOLUTION
    except OSError:
        return True
