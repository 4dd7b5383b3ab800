"""Values stored until the same browser comes back: grants that it is asked about, and previewed imports."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tinydb import where

from worker.database import Database, format_time, parse_time, reading
from worker.errors import StorageError
from worker.sealing import digest_of
from worker.sentences import Sentence


class Pending:
    """Values by an unguessable name. Only the session that added a value can take it, once, within its lifetime.

    They are in the database, so that any process of the page can answer the browser. kind: of these values; others
    share the table. limit: number of stored values; the oldest are deleted first, so that a flood does no harm.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime], *, kind: str, lifetime: timedelta, limit: int
    ) -> None:
        self._database = database
        self._documents = database.documents("pending")
        self._now = now
        self._kind = kind
        self._lifetime = lifetime
        self._limit = limit

    def add(self, name: str, value: Mapping[str, str], *, session_id: str) -> None:
        """Store a value until its browser comes back."""
        now = self._now()
        same_kind, old = where("kind") == self._kind, where("at") < format_time(now - self._lifetime)
        document = {"kind": self._kind, "session": session_id, "at": format_time(now), "value": dict(value)}
        with self._database.together():
            self._documents.delete(self._documents.sorted_keys("at", matching=same_kind & old))
            self._documents.delete(self._documents.sorted_keys("at", matching=same_kind)[: 1 - self._limit])
            self._documents.put({digest_of(name): document})

    def take(self, name: str, *, session_id: str) -> dict[str, str] | None:
        """Return and delete a value; None if it belongs to another session, was taken, or is too old."""
        key = digest_of(name)
        with self._database.together():
            found: dict[str, Any] = self._documents.find(key) or {}
            if (found.get("kind"), found.get("session")) != (self._kind, session_id):
                return None
            self._documents.delete([key])
        try:
            with reading(Sentence("what a browser left")):
                value = {it: str(text) for it, text in found["value"].items()}
                return value if self._now() - parse_time(found["at"]) <= self._lifetime else None
        except StorageError:  # the user only has to start again
            return None
