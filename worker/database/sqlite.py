"""The engine on one's own machine: one SQLite file, shared by threads and processes.

Write-ahead logging lets readers read while somebody writes; ``synchronous=FULL`` makes a commit durable.
"""

import json
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from worker.database.engine import Row
from worker.database.schema import TABLES, VERSION, columns
from worker.errors import BusyError, DamagedFileError, StorageError
from worker.files import replace_file, sync_directory

_APPLICATION = 0x42424C4B  # "BBLK": SQLite's application_id
_PATIENCE = 10.0  # seconds to wait for another writer
_RETRY = 0.001  # seconds between two tries; SQLite's own waits grow, and let a busy process starve another
_REASONS = {
    "SQLITE_FULL": "The disk is full; free some space, then try again",
    "SQLITE_READONLY": "It may not be written to; check its permissions, then try again",
    "SQLITE_CANTOPEN": "It cannot be opened; check the permissions of its folder, then try again",
    "SQLITE_PERM": "It may not be opened; check its permissions, then try again",
    "SQLITE_IOERR": "The disk failed; check it and its free space, then try again",
}
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_WAIT = f"PRAGMA busy_timeout = {int(_PATIENCE * 1000)}"


class SQLite:
    """A database in one file.

    patience: seconds to wait for another writer before BusyError.
    """

    def __init__(self, path: Path, *, patience: float = _PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._writer = threading.Lock()
        self._idle: deque[sqlite3.Connection] = deque()
        self._local = threading.local()
        with self._connection() as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != _APPLICATION:
                raise self._damaged("it is no database of buyerblock")
            if version > VERSION:
                raise StorageError(f"{path} was written by a newer version of buyerblock; use that version.")
            (self._lineage,) = connection.execute("SELECT lineage FROM meta").fetchone()

    @property
    def lineage(self) -> str:
        return str(self._lineage)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        connection = self._take()
        try:
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._translated(error) from error
        finally:
            self._give(connection)

    def walk(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        with self._connection() as connection:
            yield from connection.execute(sql, parameters)

    def put(self, table: str, documents: Mapping[str, str]) -> None:
        sql = (
            f'INSERT INTO "{table}" (key, document) VALUES (?, ?) '  # noqa: S608 - tables are ours
            "ON CONFLICT (key) DO UPDATE SET document = excluded.document"
        )
        with self._connection() as connection:
            connection.executemany(sql, documents.items())

    def delete(self, table: str, keys: Iterable[str]) -> None:
        with self._connection() as connection:
            connection.executemany(f'DELETE FROM "{table}" WHERE key = ?', ((key,) for key in keys))  # noqa: S608 - as above

    def add_event(self, at: str, by: str, what: str, entries: str) -> None:
        self.rows("INSERT INTO events (at, by, what, entries) VALUES (?, ?, ?, ?)", (at, by, what, entries))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if getattr(self._local, "connection", None) is not None:
            yield
            return
        deadline = time.monotonic() + self._patience
        if not self._writer.acquire(timeout=self._patience):
            raise self._busy()
        try:
            with self._connection() as connection:
                self._begin(connection, deadline)
                self._local.connection = connection
                try:
                    yield
                    connection.execute("COMMIT")
                finally:
                    self._local.connection = None
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._writer.release()

    def _begin(self, connection: sqlite3.Connection, deadline: float) -> None:
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    if not error.sqlite_errorname.startswith(_BUSY) or time.monotonic() > deadline:
                        raise
                    time.sleep(_RETRY)
                else:
                    return
        finally:
            connection.execute(_WAIT)

    def source(self, table: str) -> str:
        return f'"{table}"'

    def field(self, table: str, path: Sequence[str]) -> str:
        if len(path) == 1 and path[0] in columns(table):
            return f'"{path[0]}"'
        return f"json_extract(document, '{_path(path)}')"

    def kind(self, path: Sequence[str]) -> str:
        return (
            f"CASE json_type(document, '{_path(path)}') WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' "
            f"WHEN 'true' THEN 'number' WHEN 'false' THEN 'number' ELSE json_type(document, '{_path(path)}') END"
        )

    def position(self, field: str) -> str:
        return f"instr({field}, ?)"

    def backup(self, target: Path) -> None:
        with self._connection() as connection, _opened(target) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    def check(self) -> None:
        with self._connection() as connection:
            ((answer,), *_) = connection.execute("PRAGMA quick_check(1)")
        if answer != "ok":
            raise self._damaged(str(answer))

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        except sqlite3.Error as error:
            raise self._translated(error) from error
        finally:
            self._give(connection)

    def _take(self) -> sqlite3.Connection:
        """Return the connection of this thread's transaction, an idle one, or a new one."""
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is not None:
            return held
        try:
            return self._idle.pop()
        except IndexError:
            try:
                return _connect(self._path)
            except sqlite3.Error as error:
                raise self._translated(error) from error

    def _give(self, connection: sqlite3.Connection) -> None:
        if connection is not getattr(self._local, "connection", None):
            self._idle.append(connection)

    def _translated(self, error: sqlite3.Error) -> Exception:
        name = getattr(error, "sqlite_errorname", "")
        if not name:
            return error  # a mistake of ours, not of the disk
        if name.startswith(_BUSY):
            return self._busy()
        # SQLITE_ERROR: a table is missing, or a document is no JSON.
        if name.startswith(_DAMAGED) or name == "SQLITE_ERROR":
            return self._damaged(str(error))
        why = next((why for prefix, why in _REASONS.items() if name.startswith(prefix)), f"SQLite: {error}")
        return StorageError(f"{self._path}: {why}.")

    def _busy(self) -> BusyError:
        return BusyError(f"Another program has been writing to {self._path} for too long; try again.")

    def _damaged(self, why: str) -> DamagedFileError:
        return DamagedFileError(
            f"{self._path} is damaged ({why}). Nothing was changed. Bring back the last daily copy: "
            f"buyerblock restore --latest"
        )


def create(path: Path) -> None:
    """Make an empty database at path, whole or not at all; one that is there already is left alone.

    Raises StorageError.
    """
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        with _opened(temporary) as connection:
            connection.executescript(_schema())
            connection.execute("INSERT INTO meta VALUES (?)", (secrets.token_hex(8),))
        if not path.exists():
            replace_file(temporary, path)
            sync_directory(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"{path} cannot be made: {error}; free some space or check the permissions, then try again."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def rename_lineage(path: Path) -> None:
    """Give a copy a name of its own, so that nobody takes its events for those of the database it was made from."""
    with _opened(path) as connection:
        connection.execute("UPDATE meta SET lineage = ?", (secrets.token_hex(8),))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that nobody else uses, readable by its owner alone."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: a file that is missing must not become an empty list.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_WAIT)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _schema() -> str:
    statements = [
        f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION}",
        "CREATE TABLE meta (lineage TEXT NOT NULL)",
        (
            "CREATE TABLE events (sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL, "
            "what TEXT NOT NULL, entries TEXT NOT NULL)"
        ),
    ]
    for table, indexes in TABLES.items():
        # Stored columns: an index over them answers alone, and what no index answers need not parse every document.
        generated = "".join(
            f", \"{it}\" GENERATED ALWAYS AS (json_extract(document, '{_path((it,))}')) STORED"
            for it in columns(table)
        )
        statements.append(f'CREATE TABLE "{table}" (key TEXT PRIMARY KEY, document TEXT NOT NULL{generated})')
        for fields in indexes:
            names = ", ".join(f'"{it}"' for it in fields)
            statements.append(f'CREATE INDEX "{table}_{"_".join(fields)}" ON "{table}" ({names}, key)')
    return ";\n".join(statements) + ";"


def _path(path: Sequence[str]) -> str:
    """Return SQLite's path to a field; ``queries.py`` lets only plain names through."""
    return "$" + "".join(f".{json.dumps(name)}" for name in path)
