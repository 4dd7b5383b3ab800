"""Which messages of the last days were judged, so that a search over them reads none twice."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tinydb import where

from worker.database import Database

KEPT = timedelta(days=9)  # a day longer than the longest routine search looks back


class JudgedIds:
    """Ids of judged messages in one mailbox. Losing them costs quota, never correctness."""

    def __init__(self, database: Database, email: str) -> None:
        self._database = database
        self._documents = database.documents("judged")
        self._email = email

    def __contains__(self, message_id: object) -> bool:
        return self._documents.find(f"{self._email} {message_id}") is not None

    def add(self, message_ids: Iterable[str], now: datetime) -> None:
        """Remember these as judged today, and delete those of too long ago. Raises StorageError."""
        today, oldest = now.date().isoformat(), (now - KEPT).date().isoformat()
        with self._database.together():
            self._documents.put({f"{self._email} {it}": {"day": today} for it in message_ids})
            self._documents.remove(where("day") < oldest)
