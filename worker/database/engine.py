"""The interface of a database engine. The SQL shared by all engines is in ``documents.py`` and ``database.py``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol

from worker.errors import DamagedFileError
from worker.sentences import Sentence

Row = tuple[Any, ...]
Kind = Literal["text", "number"]  # a boolean is a number


class Engine(Protocol):
    """A database of documents: JSON texts by table and key, and a table ``events``.

    SQL uses ``?`` for parameters. Methods raise StorageError when the disk or a connection fails, BusyError when
    another process locks the database for too long, and DamagedFileError when it is damaged.
    """

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return the result of a query; in a transaction, with its changes."""

    def walk(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        """Yield the result of a query from one snapshot, without loading all of it into memory."""

    def put(self, table: str, documents: Mapping[str, str]) -> None:
        """Insert or replace documents, in a transaction."""

    def delete(self, table: str, keys: Iterable[str]) -> None:
        """Delete documents, in a transaction."""

    def add_event(self, at: str, by: str, what: str, entries: str) -> None:
        """Add an event after the newest one, in a transaction. entries: JSON."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit all changes at the end, or none.

        A nested transaction is committed with the outer one; an exception undoes only the nested one.
        """

    def source(self, table: str) -> str:
        """Return SQL for FROM, to be followed by AS: a table with ``key`` and ``document``, or ``events``."""

    def field(self, table: str, path: Sequence[str], kind: Kind | None = None) -> str:
        """Return SQL for the sortable value of a field of ``document``; NULL if the field is missing.

        Numbers sort before texts; lists and objects sort as texts by their JSON. kind: values of another kind are NULL,
        and the result can be compared with parameters of this kind.
        """

    def comparable(self, table: str, path: Sequence[str], value: object) -> tuple[str, object]:
        """Return SQL that makes a value comparable with ``field``, and its one parameter."""

    def kind(self, path: Sequence[str]) -> str:
        """Return SQL for ``'text'``, ``'number'``, ``'null'`` or another word; NULL if the field is missing."""

    def is_one_of(self, field: str, texts: Sequence[str]) -> tuple[str, Sequence[object]]:
        """Return SQL that is true if a field is one of these texts, and its parameters."""

    def containing(self, field: str, text: str) -> tuple[str, str]:
        """Return SQL that is true if a field contains a text, and its one parameter."""

    @property
    def lineage(self) -> str:
        """The identity of this database; a restored one has another."""

    def newest(self) -> int:
        """Return the number of the newest event, 0 before the first."""

    def backup(self, target: Path) -> None:
        """Write a snapshot to a new file; others may read and write meanwhile."""

    def check(self) -> None:
        """Read everything. Raises DamagedFileError."""

    def damaged(self, why: Sentence | str) -> DamagedFileError:
        """Return the error for a document that cannot be read."""

    def close(self) -> None:
        """Release files and connections."""
