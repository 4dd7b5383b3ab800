"""The queues of notifications, one per destination."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial

from tinydb import where

from worker.database import Database, format_time, stored
from worker.webhook import Message

MAX_AGE = timedelta(days=7)  # older notifications are dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A message to the owner. id: the same for the same event. at: RFC 3339."""

    id: str
    title: str
    text: str
    at: str


_to_notification = partial(stored, Notification)


class Queue:
    """The queues of all destinations. Raises StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("notifications")
        self._documents.expect(_to_notification)
        self._destinations = database.documents("destinations")

    def add(self, *messages: Message) -> None:
        """Enqueue notifications of problems that began or ended, for every destination."""
        self.put(*map(_about_problem, messages))

    def put(self, *notifications: Notification) -> None:
        """Enqueue notifications for every destination; they are on disk when this returns."""
        with self._database.together():
            for document in self._destinations.walk():
                destination = str(document.doc_id)
                documents = {
                    _key(destination, it): {**asdict(it), "destination": destination} for it in notifications
                }
                self._documents.put(documents)

    def waiting(self, destination_id: str, *, limit: int) -> list[Notification]:
        """Return the queue of a destination, the oldest first."""
        of_destination = where("destination") == destination_id
        return list(map(_to_notification, self._documents.page("at", limit=limit, matching=of_destination)))

    def remove(self, destination_id: str, sent: Notification) -> None:
        self._documents.delete([_key(destination_id, sent)])

    def drop_old(self, now: datetime) -> None:
        """Drop notifications older than MAX_AGE."""
        old = self._documents.sorted_keys("key", matching=where("at") < format_time(now - MAX_AGE))
        if old:
            self._documents.delete(old)


def _about_problem(message: Message) -> Notification:
    began, about = message.type == "problem.began", message.data
    title = "buyerblock: something needs you" if began else "buyerblock: no problem any more"
    text = f"{about['account']}: {about['sentence']}" if about["account"] else about["sentence"]
    return Notification(id=message.id, title=title, text=text, at=message.at)


def _key(destination_id: str, it: Notification) -> str:
    return f"{destination_id} {it.id}"
