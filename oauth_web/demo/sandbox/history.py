"""The history of a mailbox's changes, for ``history.list``."""

from collections.abc import Iterator
from dataclasses import dataclass

from oauth_web.demo.sandbox.refusals import not_found
from oauth_web.demo.sandbox.stored import Stored


@dataclass(frozen=True, slots=True)
class Record:
    """One change. labels: all labels of the message after it. changed: the added or removed labels."""

    id: int
    kind: str
    message_id: str
    thread_id: str
    labels: tuple[str, ...]
    changed: tuple[str, ...] = ()


class History:
    """Changes in their order. Labels that filters add at delivery are part of ``messageAdded``."""

    def __init__(self) -> None:
        self.last_id = 1000
        self._oldest = 1000
        self._records: list[Record] = []

    def added(self, stored: Stored) -> int:
        return self._write("messageAdded", stored)

    def deleted(self, stored: Stored) -> int:
        return self._write("messageDeleted", stored)

    def relabelled(self, stored: Stored, added: set[str], removed: set[str]) -> int:
        if added:
            self._write("labelAdded", stored, added)
        if removed:
            self._write("labelRemoved", stored, removed)
        return self.last_id

    def forget(self) -> None:
        """Delete everything up to now, as Gmail does after a week, sometimes after hours."""
        self._records.clear()
        self._oldest = self.last_id

    def since(self, start: int) -> Iterator[Record]:
        """Return the changes after ``start``. Raises Refusal 404 if they were deleted."""
        if start < self._oldest or start > self.last_id:
            raise not_found()
        return (record for record in self._records if record.id > start)

    def _write(self, kind: str, stored: Stored, changed: set[str] | None = None) -> int:
        self.last_id += 1
        labels, names = tuple(sorted(stored.labels)), tuple(sorted(changed or ()))
        self._records.append(Record(self.last_id, kind, stored.id, stored.thread_id, labels, names))
        return self.last_id
