"""What is still to be sent to the destinations."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

from tinydb import where

from worker.database import Database, format_time, stored
from worker.webhook import Message

KEPT_FOR = timedelta(days=7)  # what is older is no news


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message to the owner. id: the same for the same news. at: RFC 3339."""

    id: str
    title: str
    text: str
    at: str


_to_notification = partial(stored, Notification)


class Queue:
    """The notifications that wait, for each destination its own. Raises StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("notifications")
        self._documents.expect(_to_notification)
        self._destinations = database.documents("destinations")

    def add(self, *messages: Message) -> None:
        """Have every destination notified of problems that began or ended."""
        self.put(*map(_about_problem, messages))

    def put(self, *news: Notification) -> None:
        """Have it sent to every destination; it is stored on return."""
        with self._database.together():
            for one in self._destinations.walk():
                destination = str(one.doc_id)
                documents = {_key(destination, it): {**asdict(it), "destination": destination} for it in news}
                self._documents.put(documents)

    def waiting(self, destination_id: str, *, limit: int) -> list[Notification]:
        """Return what a destination was not sent yet, the oldest first."""
        mine = where("destination") == destination_id
        return list(map(_to_notification, self._documents.page("at", limit=limit, matching=mine)))

    def remove(self, destination_id: str, sent: Notification) -> None:
        """Forget what a destination was sent."""
        self._documents.delete([_key(destination_id, sent)])

    def drop_old(self, now: datetime) -> None:
        """Forget what is no news any more."""
        old = self._documents.sorted_keys("key", matching=where("at") < format_time(now - KEPT_FOR))
        if old:
            self._documents.delete(old)


def _about_problem(message: Message) -> Notification:
    began, about = message.type == "problem.began", message.data
    title = "buyerblock: something needs you" if began else "buyerblock: no problem any more"
    text = f"{about['account']}: {about['sentence']}" if about["account"] else about["sentence"]
    return Notification(id=message.id, title=title, text=text, at=message.at)


def _key(destination_id: str, it: Notification) -> str:
    return f"{destination_id} {it.id}"
