"""What waits for the same browser to come back: mailboxes that it is asked about, and imports that were previewed."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tinydb import where

from worker.database import Database, format_time, parse_time, reading
from worker.errors import StorageError
from worker.sealing import digest_of
from worker.sentences import Sentence


class Pending:
    """Values by a name that nobody can guess, each taken once, by the session that left it, before it is too old.

    They are in the database, so that it does not matter which process of the page a browser comes back to. kind: which
    of those that wait are these. life: how long one is kept. most: so many at once; the oldest go first, so that a
    flood costs little.
    """

    def __init__(
        self, database: Database, now: Callable[[], datetime], *, kind: str, life: timedelta, most: int
    ) -> None:
        self._database = database
        self._documents = database.documents("pending")
        self._now = now
        self._kind = kind
        self._life = life
        self._most = most

    def add(self, name: str, value: Mapping[str, str], *, session_id: str) -> None:
        """Keep texts until their browser comes back."""
        now = self._now()
        ours, old = where("kind") == self._kind, where("at") < format_time(now - self._life)
        document = {"kind": self._kind, "session": session_id, "at": format_time(now), "value": dict(value)}
        with self._database.together():
            self._documents.delete(self._documents.sorted_keys("at", matching=ours & old))
            self._documents.delete(self._documents.sorted_keys("at", matching=ours)[: 1 - self._most])
            self._documents.put({digest_of(name): document})

    def take(self, name: str, *, session_id: str) -> dict[str, str] | None:
        """Return the texts and forget them; None if they are not this session's, were taken or are too old."""
        key = digest_of(name)
        with self._database.together():
            found: dict[str, Any] = self._documents.find(key) or {}
            if (found.get("kind"), found.get("session")) != (self._kind, session_id):
                return None
            self._documents.delete([key])
        try:
            with reading(Sentence("what a browser left")):
                value = {it: str(text) for it, text in found["value"].items()}
                return value if self._now() - parse_time(found["at"]) <= self._life else None
        except StorageError:  # to begin again is all that it costs
            return None
