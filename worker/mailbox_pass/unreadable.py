"""Queued messages that Gmail cannot deliver. They are set aside, so that they do not block the queue."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from tinydb import where

from worker.clock import wait_after
from worker.database import Database

# If no other message can be read either, Gmail itself may be failing. Then a message is set aside only after so many
# tries.
PATIENCE = 3
_FIRST_WAIT = timedelta(minutes=5)
_MAX_WAIT = timedelta(days=1)


class Unreadable:
    """The failed messages of one mailbox. Messages that are set aside are retried with exponential backoff."""

    def __init__(self, database: Database, email: str) -> None:
        self._documents = database.documents("unreadable")
        self._documents.expect(_expect)
        self._email = email

    def waiting(self, now: datetime) -> frozenset[str]:
        """Return the ids of messages that are set aside and whose retry is not due."""
        return frozenset(
            it["id"]
            for it in self._all()
            if it["tries"] >= PATIENCE and now < datetime.fromisoformat(it["next_try"])
        )

    def failed(self, message_ids: Collection[str], now: datetime, *, alone: bool) -> bool:
        """Store that these could not be read; return whether all of them are now set aside.

        alone: no other message could be read either.
        """
        known = {it["id"]: it["tries"] for it in self._all()}
        tries = {it: max(known.get(it, 0) + 1, 0 if alone else PATIENCE) for it in message_ids}
        self._documents.put({f"{self._email} {it}": self._document(it, tries[it], now) for it in tries})
        return all(it >= PATIENCE for it in tries.values())

    def keep_only(self, message_ids: Collection[str]) -> None:
        """Delete all others: they were read, or no longer exist."""
        if done := [str(it.doc_id) for it in self._all() if it["id"] not in message_ids]:
            self._documents.delete(done)

    def _all(self) -> list[Any]:
        return self._documents.search(where("account") == self._email)

    def _document(self, message_id: str, tries: int, now: datetime) -> dict[str, Any]:
        wait = wait_after(max(0, tries - PATIENCE), _FIRST_WAIT, _MAX_WAIT)
        return {
            "account": self._email,
            "id": message_id,
            "tries": tries,
            "next_try": (now + wait).isoformat(),
        }


def count_set_aside(database: Database, email: str) -> int:
    found = database.documents("unreadable").search(where("account") == email)
    return sum(it["tries"] >= PATIENCE for it in found)


def _expect(document: Mapping[str, Any]) -> None:
    kinds = [type(document[it]) for it in ("account", "id", "tries")]
    if kinds != [str, str, int] or datetime.fromisoformat(document["next_try"]).tzinfo is None:
        raise TypeError("a failure of another shape")
