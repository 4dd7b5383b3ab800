"""The queue of webhook messages that are not changes of the list: about problems."""

from dataclasses import asdict
from functools import partial

from worker.database import Database, stored
from worker.webhook.message import Message

# When the webhook is down for months, the oldest messages are dropped.
MAX_WAITING = 100

_to_message = partial(stored, Message)


class Announcements:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("announcements")
        self._documents.expect(_to_message)

    def waiting(self) -> list[Message]:
        """Return the messages that were not sent yet, the oldest first."""
        return list(map(_to_message, self._documents.walk()))

    def add(self, *new: Message) -> None:
        """Store messages to be sent."""
        with self._database.together():
            self._documents.put({_key(it): asdict(it) for it in new})
            old = self._documents.page("key", descending=True, offset=MAX_WAITING, limit=len(new))
            self._documents.delete(str(it.doc_id) for it in old)

    def remove(self, sent: Message) -> None:
        self._documents.delete([_key(sent)])

    def clear(self) -> None:
        if len(self._documents):
            self._documents.truncate()


def _key(message: Message) -> str:
    return f"{message.at} {message.id}"  # sorts by time
