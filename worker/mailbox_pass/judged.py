"""Which messages of the last days were judged, so that searches read no message twice."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tinydb import where

from worker.database import Database

KEPT = timedelta(days=9)  # longer than any routine search looks back


class JudgedIds:
    """Ids of judged messages in one mailbox. Only a cache: losing them costs quota, never correctness."""

    def __init__(self, database: Database, email: str) -> None:
        self._database = database
        self._documents = database.documents("judged")
        self._email = email

    def __contains__(self, message_id: object) -> bool:
        return self._documents.find(f"{self._email} {message_id}") is not None

    def add(self, message_ids: Iterable[str], now: datetime) -> None:
        """Store these as judged today, and delete the ones older than KEPT. Raises StorageError."""
        today, oldest = now.date().isoformat(), (now - KEPT).date().isoformat()
        with self._database.together():
            self._documents.put({f"{self._email} {it}": {"day": today} for it in message_ids})
            self._documents.remove(where("day") < oldest)
