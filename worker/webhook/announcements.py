"""What the webhook is told beside changes of the list: few, and in order.

One process writes them, the server; its threads share one object.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from worker.errors import DamagedFileError
from worker.files import storage_error, write_atomically

# A webhook that is down for months must not make the file grow; the oldest are the least news.
MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One message. id: the same however often it is told. at: RFC 3339. data: plain JSON values."""

    id: str
    type: str
    at: str
    data: dict[str, Any]


class Announcements:
    """The announcements of a data directory that were not told yet. Raises StorageError, DamagedFileError."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "announcements.json"
        self._lock = Lock()

    def waiting(self) -> list[Announcement]:
        """Return what was not told yet, the oldest first."""
        try:
            return [Announcement(**document) for document in orjson.loads(self._path.read_bytes())]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error("read", self._path, error) from error
        except (ValueError, TypeError) as error:
            raise DamagedFileError(f"{self._path} is damaged; remove it.") from error

    def add(self, *new: Announcement) -> None:
        """Tell these too; they are on disk on return."""
        with self._lock:
            self._keep([*self.waiting(), *new][-MOST:])

    def done(self, told: Announcement) -> None:
        """Forget one that was told."""
        with self._lock:
            self._keep([it for it in self.waiting() if it.id != told.id])

    def forget(self) -> None:
        """Forget all of them: nobody wants to be told."""
        with self._lock:
            if self.waiting():
                self._keep([])

    def _keep(self, announcements: list[Announcement]) -> None:
        write_atomically(self._path, orjson.dumps([asdict(it) for it in announcements]))
