"""What the webhook is sent besides changes of the list: few messages, in order."""

from dataclasses import asdict
from functools import partial

from worker.database import Database, stored
from worker.webhook.message import Message

# A webhook that is down for months must not make the table grow; the oldest are dropped.
MAX_WAITING = 100


_to_message = partial(stored, Message)


class Announcements:
    """The announcements that were not sent yet."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("announcements")
        self._documents.expect(_to_message)

    def waiting(self) -> list[Message]:
        """Return what was not sent yet, the oldest first."""
        return list(map(_to_message, self._documents.walk()))

    def add(self, *new: Message) -> None:
        """Have these sent too; they are stored on return."""
        with self._database.together():
            self._documents.put({_key(it): asdict(it) for it in new})
            old = self._documents.page("key", descending=True, offset=MAX_WAITING, limit=len(new))
            self._documents.delete(str(it.doc_id) for it in old)

    def remove(self, sent: Message) -> None:
        """Forget one that was sent."""
        self._documents.delete([_key(sent)])

    def clear(self) -> None:
        """Delete all of them: there is no webhook."""
        if len(self._documents):
            self._documents.truncate()


def _key(message: Message) -> str:
    return f"{message.at} {message.id}"  # sorts by time
