"""The database: TinyDB over an engine, with transactions over several tables and a record of every change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from tinydb import TinyDB
from tinydb.storages import MemoryStorage

from worker.database.documents import Documents, parsed
from worker.database.engine import Engine, Row
from worker.database.schema import TABLES
from worker.database.times import format_time


@dataclass(slots=True)
class Change:
    """An open transaction. sequence: the number of its future event. entries: what it did, by key."""

    sequence: int
    entries: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A transaction that changed the block list. at: RFC 3339. entries: pairs of (change, key)."""

    sequence: int
    at: str
    by: str
    what: str
    entries: tuple[tuple[str, str], ...]


class Database(TinyDB):
    """The database. Raises the errors of ``Engine``."""

    table_class = Documents  # type: ignore[assignment]  # made by ``table``, with an engine
    default_table_name = "blocks"

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._documents: dict[str, Documents] = {}
        super().__init__(storage=MemoryStorage)  # unused: our tables read from the engine

    def documents(self, name: str) -> Documents:
        """Return a table of ``schema.py``."""
        if name not in self._documents:
            if name not in TABLES:
                raise KeyError(name)
            self._documents[name] = Documents(self.storage, name, self.engine)
        return self._documents[name]

    def set_aside(self) -> dict[str, int]:
        """Return the number of records found so far that cannot be read, by table."""
        return {name: len(it.set_aside) for name, it in list(self._documents.items()) if it.set_aside}

    def table(self, name: str, **_: Any) -> Documents:
        return self.documents(name)

    def tables(self) -> set[str]:
        """Return the names of the tables that have documents."""
        return {name for name in TABLES if len(self.documents(name))}

    def drop_table(self, name: str) -> None:
        self.documents(name).truncate()

    def drop_tables(self) -> None:
        with self.together():
            for name in TABLES:
                self.drop_table(name)

    @contextmanager
    def transaction(self, what: str, *, by: str, at: datetime) -> Iterator[Change]:
        """Commit all changes at the end, or none, with one event if ``entries`` is not empty.

        what: the kind of change. by: who made it.
        """
        with self.engine.transaction():
            change = Change(self.engine.newest() + 1)
            yield change
            if change.entries:
                entries = orjson.dumps([(done, key) for key, done in change.entries.items()]).decode()
                self.engine.add_event(format_time(at), by, what, entries)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit all changes at the end, or none, without an event."""
        with self.engine.transaction():
            yield

    def version(self) -> str:
        """Return a value that changes with every event, usable as an ETag."""
        return f"{self.engine.lineage}-{self.engine.newest()}"

    def events(self, after: int = 0) -> Iterator[Event]:
        """Yield the events after this number, oldest first."""
        yield from map(self._event, self.engine.walk(f"{self._events()} > ? ORDER BY sequence", (after,)))

    def event(self, sequence: int) -> Event | None:
        """Return the event of this number, None if there is none."""
        return next(map(self._event, self.engine.rows(f"{self._events()} = ?", (sequence,))), None)

    def _events(self) -> str:
        source = f"{self.engine.source('events')} AS stored"
        return f"SELECT sequence, at, by, what, entries FROM {source} WHERE sequence"  # noqa: S608 - ours

    def _event(self, row: Row) -> Event:
        sequence, at, by, what, entries = row
        pairs = tuple((done, key) for done, key in parsed(entries, "events", self.engine))
        return Event(sequence=sequence, at=at, by=by, what=what, entries=pairs)

    def backup(self, target: Path) -> None:
        """Write a snapshot to a new file; others may read and write meanwhile."""
        self.engine.backup(target)

    def close(self) -> None:
        super().close()
        self.engine.close()
