"""What a database engine has to do. The SQL that all engines share is in ``documents.py`` and ``database.py``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol

from worker.errors import DamagedFileError
from worker.sentences import Sentence

Row = tuple[Any, ...]
Kind = Literal["text", "number"]  # true and false are numbers


class Engine(Protocol):
    """A database of documents: JSON texts by table and key, and a table ``events``.

    SQL uses ``?`` for parameters. Calls raise StorageError when the disk or a connection fails, BusyError when another
    process holds the database for too long, and DamagedFileError when it cannot be trusted.
    """

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return what a query selects; inside a transaction, with its changes."""

    def walk(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        """Yield what a query selects, one whole state, without holding all of it in memory."""

    def put(self, table: str, documents: Mapping[str, str]) -> None:
        """Insert or replace documents, inside a transaction."""

    def delete(self, table: str, keys: Iterable[str]) -> None:
        """Delete documents, inside a transaction."""

    def add_event(self, at: str, by: str, what: str, entries: str) -> None:
        """Add an event after the newest, inside a transaction. entries: JSON."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make what happens inside durable at its end, or nothing of it.

        Inside another one it is part of that: durable at the end of that, and undone alone by an exception.
        """

    def source(self, table: str) -> str:
        """Return what to select ``key`` and ``document`` of a table from, or the columns of ``events``; AS names it."""

    def field(self, table: str, path: Sequence[str], kind: Kind | None = None) -> str:
        """Return the SQL value of a field of ``document``, NULL where it is missing, fit to be sorted by.

        Numbers come before texts, and lists and objects among those, by their JSON. kind: values of another kind
        are NULL, and it can be compared with parameters of this one.
        """

    def place(self, table: str, path: Sequence[str], value: object) -> tuple[str, object]:
        """Return SQL for the place of a value among those of ``field``, and its one parameter."""

    def kind(self, path: Sequence[str]) -> str:
        """Return SQL for ``'text'``, ``'number'``, ``'null'`` or another word; NULL where the field is missing."""

    def among(self, field: str, texts: Sequence[str]) -> tuple[str, Sequence[object]]:
        """Return SQL that is true where a field is one of these texts, and its parameters."""

    def containing(self, field: str, text: str) -> tuple[str, str]:
        """Return SQL that is true where a field contains a text, and its one parameter."""

    @property
    def lineage(self) -> str:
        """Names this database; a restored one has another."""

    def newest(self) -> int:
        """Return the number of the newest event, 0 before the first."""

    def backup(self, target: Path) -> None:
        """Write a copy to a new file, one whole state, while others go on reading and writing."""

    def check(self) -> None:
        """Read everything. Raises DamagedFileError."""

    def damaged(self, why: Sentence | str) -> DamagedFileError:
        """Return the error for a document that cannot be read."""

    def close(self) -> None:
        """Release files and connections."""
