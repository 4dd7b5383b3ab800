"""What the webhook is sent besides changes of the list: few messages, in order."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from worker.database import Database, checked

# A webhook that is down for months must not make the table grow; the oldest are dropped.
MAX_WAITING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One message. id: the same however often it is sent. at: RFC 3339. data: plain JSON values."""

    id: str
    type: str
    at: str
    data: dict[str, Any]

    @property
    def key(self) -> str:
        """What it is stored under: sorts by time."""
        return f"{self.at} {self.id}"


class Announcements:
    """The announcements that were not sent yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("announcements")
        self._documents.expect(_to_announcement)

    def waiting(self) -> list[Announcement]:
        """Return what was not sent yet, the oldest first."""
        return list(map(_to_announcement, self._documents.walk()))

    def add(self, *new: Announcement) -> None:
        """Have these sent too; they are stored on return."""
        with self._database.together():
            self._documents.put({it.key: asdict(it) for it in new})
            old = self._documents.page("key", descending=True, offset=MAX_WAITING, limit=len(new))
            self._documents.delete(str(it.doc_id) for it in old)

    def remove(self, sent: Announcement) -> None:
        """Forget one that was sent."""
        self._documents.delete([sent.key])

    def clear(self) -> None:
        """Delete all of them: there is no webhook."""
        if len(self._documents):
            self._documents.truncate()


def _to_announcement(document: Mapping[str, Any]) -> Announcement:
    return checked(Announcement(**document))
