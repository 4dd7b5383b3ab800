"""The engine for one SQLite file, shared by threads and processes.

With write-ahead logging, readers and a writer do not block each other; ``synchronous=FULL`` makes a commit durable.
"""

import re
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from worker.database.engine import Kind, Row
from worker.database.fair_lock import FairLock
from worker.database.file_state import FileState
from worker.database.schema import VERSION, columns
from worker.database.sqlite_file import (
    APPLICATION,
    DAMAGED,
    error_name,
    has_current_schema,
    has_error_name,
    json_path,
    opened,
)
from worker.errors import BusyError, DamagedFileError, StorageError
from worker.files import at_work, storage_error
from worker.sentences import Sentence

_PATIENCE = 10.0  # seconds to wait for another writer
_RETRY_EVERY = 0.0003  # seconds; SQLite's own waits grow, so that a busy process could starve another
# Bytes of the write-ahead log. It grows with a large import, or with readers without a pause.
_MAX_WAL_SIZE = 64 * 2**20
_READERS_TIMEOUT = 0.2  # seconds to wait for readers of an old snapshot
_REASONS = {
    "SQLITE_FULL": Sentence("The disk is full; free some space, then try again"),
    "SQLITE_READONLY": Sentence("It may not be written to; check its permissions, then try again"),
    "SQLITE_CANTOPEN": Sentence("It cannot be opened; check the permissions of its folder, then try again"),
    "SQLITE_PERM": Sentence("It may not be opened; check its permissions, then try again"),
    "SQLITE_IOERR": Sentence("The disk failed; check it and its free space, then try again"),
}
_GLOB_WILDCARDS = re.compile(r"[*?\[]")
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")


class _ThreadState(threading.local):
    """connection: that of this thread's transaction."""

    connection: sqlite3.Connection | None = None


class SQLite:
    """A database in one file, with a pool of connections that grows to the number used at the same time.

    patience: seconds to wait for another writer before BusyError.
    """

    def __init__(self, path: Path, *, patience: float = _PATIENCE) -> None:
        self._path = path
        # mode=rw: a missing file must not be created as an empty list.
        self._uri = f"{path.absolute().as_uri()}?mode=rw"
        self._wal = path.with_name(f"{path.name}-wal").absolute()
        self._patience = patience
        self._writer = FairLock()
        self._idle: deque[sqlite3.Connection] = deque()
        self._thread = _ThreadState()
        self._closed = False
        self._damage: DamagedFileError | None = None
        self._file_state = FileState(path)
        with self._connection() as connection:
            self._check_file(connection)

    @property
    def lineage(self) -> str:
        return self._file_state.lineage

    def newest(self) -> int:
        with self._connection() as connection:
            if connection is not self._thread.connection:
                self._check_file(connection)
            return _newest(connection)[1]

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        # The same as _connection, but faster: every check of a key comes here.
        held = self._transaction_connection()
        connection = held or self._take()
        try:
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._translated(error) from error
        finally:
            if held is None:
                self._give(connection)

    def walk(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        if self._transaction_connection() is not None:
            # Read everything now: a walk must not see later changes, nor use the connection after the transaction.
            yield from self.rows(sql, parameters)
            return
        # Closing the cursor ends its snapshot, even if the caller did not read all rows.
        with self._connection() as connection, closing(connection.execute(sql, parameters)) as cursor:
            yield from cursor

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
        if (held := self._transaction_connection()) is not None:
            with self._savepoint(held):
                yield
            return
        deadline = time.monotonic() + self._patience
        if not self._writer.acquire(timeout=self._patience):
            raise self._busy()
        try:
            with self._connection() as connection:
                try:
                    self._retry(connection, "BEGIN IMMEDIATE", deadline)
                    self._check_file(connection)
                    self._thread.connection = connection
                    yield
                    self._transaction_connection()  # raises if SQLite has ended the transaction
                    _, newest = _newest(connection)
                    connection.execute("COMMIT")
                    self._file_state.committed(newest)
                    self._truncate_wal(connection)
                finally:
                    self._thread.connection = None
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._writer.release()

    def _retry(self, connection: sqlite3.Connection, sql: str, deadline: float) -> None:
        connection.execute(_busy_timeout(0))
        try:
            while True:
                try:
                    connection.execute(sql)
                except sqlite3.OperationalError as error:
                    if not has_error_name(error, _BUSY) or time.monotonic() > deadline:
                        raise
                    time.sleep(_RETRY_EVERY)
                else:
                    return
        finally:
            connection.execute(_busy_timeout(self._patience))

    def _truncate_wal(self, connection: sqlite3.Connection) -> None:
        # Errors are ignored: the change is committed, and the next transaction tries again.
        with suppress(OSError, sqlite3.Error):
            if self._wal.stat().st_size > _MAX_WAL_SIZE:
                connection.execute(_busy_timeout(_READERS_TIMEOUT))
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute(_busy_timeout(self._patience))

    @contextmanager
    def _savepoint(self, connection: sqlite3.Connection) -> Iterator[None]:
        connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK TO part")
                connection.execute("RELEASE part")
            raise
        connection.execute("RELEASE part")

    def source(self, table: str) -> str:
        return f'"{table}"'

    def field(self, table: str, path: Sequence[str], kind: Kind | None = None) -> str:
        if len(path) == 1 and path[0] in columns(table):  # all its values are of one kind
            return f'"{path[0]}"'
        value = f"json_extract(document, '{json_path(path)}')"
        return f"CASE {self.kind(path)} WHEN '{kind}' THEN {value} END" if kind else value

    def comparable(self, table: str, path: Sequence[str], value: object) -> tuple[str, object]:  # noqa: ARG002 - SQLite compares it directly
        return "?", value

    def kind(self, path: Sequence[str]) -> str:
        return (
            f"CASE json_type(document, '{json_path(path)}') WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' "
            f"WHEN 'true' THEN 'number' WHEN 'false' THEN 'number' ELSE json_type(document, '{json_path(path)}') END"
        )

    def is_one_of(self, field: str, texts: Sequence[str]) -> tuple[str, Sequence[object]]:
        return f"{field} IN ({', '.join('?' * len(texts))})", texts

    def containing(self, field: str, text: str) -> tuple[str, str]:
        # instr() takes a third longer.
        return f"{field} GLOB ?", "*" + _GLOB_WILDCARDS.sub(r"[\g<0>]", text) + "*"

    def backup(self, target: Path) -> None:
        with at_work("write", target):
            target.touch(mode=0o600, exist_ok=False)
        try:
            with self._connection() as connection, opened(target) as copy:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def check(self) -> None:
        try:
            with self._connection() as connection:
                ((answer,), *_) = connection.execute("PRAGMA quick_check(1)")
                if answer == "ok" and not has_current_schema(connection):
                    answer = "its tables are not those of this version"
            if answer != "ok":
                raise self.damaged(str(answer))
        except DamagedFileError as error:
            raise self._shut_down(error) from error

    def close_exclusively(self) -> None:
        """Close a database before it is replaced, with everything in its main file.

        Raises BusyError if somebody else has it open for too long.
        """
        with self._connection() as connection:
            # This fails while another connection is open.
            self._retry(connection, "PRAGMA journal_mode = DELETE", time.monotonic() + self._patience)
        self.close()

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def damaged(self, why: Sentence | str) -> DamagedFileError:
        return DamagedFileError(
            "{path} is damaged ({why}). Nothing was changed. Bring back the last daily copy: "
            "buyerblock restore --latest",
            path=self._path,
            why=why,
        )

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection of this thread's transaction, or one from the pool."""
        held = self._transaction_connection()
        connection = held or self._take()
        try:
            yield connection
        except sqlite3.Error as error:
            raise self._translated(error) from error
        finally:
            if held is None:
                self._give(connection)

    def _transaction_connection(self) -> sqlite3.Connection | None:
        """Return the connection of this thread's transaction, None outside of one."""
        held = self._thread.connection
        # SQLite ends a transaction when the disk is full. Later changes would be stored without the earlier ones.
        if held is not None and not held.in_transaction:
            raise StorageError(
                "{path}: A change failed, so that nothing of it was stored; try again.", path=self._path
            )
        return held

    def _take(self) -> sqlite3.Connection:
        if self._file_state.lineage and self._file_has_changed():
            # The idle connections may have cached pages of another file.
            while self._idle:
                self._idle.pop().close()
            return self._open(check_file=True)
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _open(self, *, check_file: bool = False) -> sqlite3.Connection:
        try:
            return self._connect(check_file=check_file)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _file_has_changed(self) -> bool:
        try:
            return self._file_state.has_changed()
        except OSError as error:
            raise self._unreadable(error) from error

    def _check_file(self, connection: sqlite3.Connection) -> None:
        """Raise DamagedFileError if the file was replaced or became older."""
        try:
            why = self._file_state.find_problem(lambda: _newest(connection))
        except OSError as error:
            raise self._unreadable(error) from error
        if why:
            raise self._shut_down(self.damaged(why))

    def _unreadable(self, error: OSError) -> StorageError:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return self._shut_down(missing(self._path))
        return storage_error("open", self._path, error)

    def _shut_down(self, error: DamagedFileError) -> DamagedFileError:
        """Let all later calls raise this error, since readable data may be wrong; return the error."""
        self._damage = error
        self.close()
        return error

    def _give(self, connection: sqlite3.Connection) -> None:
        # Still in a transaction if its ROLLBACK failed.
        if self._closed or connection.in_transaction:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self, *, check_file: bool) -> sqlite3.Connection:
        if self._damage:
            raise DamagedFileError(self._damage.template, **self._damage.fields)
        connection = sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(_busy_timeout(self._patience))
            self._require_our_file(connection)
            # SQLite's busy timeout has no effect here, because of a possible deadlock.
            self._retry(connection, "PRAGMA journal_mode = WAL", time.monotonic() + self._patience)
            connection.execute("PRAGMA synchronous = FULL")
            # By default each of the connections would keep 2 MB of pages, which the system caches anyway.
            connection.execute("PRAGMA cache_size = -256")  # KiB
            if check_file:
                self._check_file(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _require_our_file(self, connection: sqlite3.Connection) -> None:
        # Before the first write to it.
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        if application != APPLICATION:
            raise self.damaged(Sentence("it is no database of buyerblock"))
        if version > VERSION:
            raise StorageError(
                "{path} was written by a newer version of buyerblock; use that version.", path=self._path
            )

    def _translated(self, error: sqlite3.Error) -> Exception:
        if has_error_name(error, _BUSY):
            return self._busy()
        # SQLITE_ERROR: a table is missing, or a document is invalid JSON. Without a name: a text is invalid UTF-8.
        unreadable = type(error) is sqlite3.OperationalError and not error_name(error)
        if unreadable or has_error_name(error, (*DAMAGED, "SQLITE_ERROR")):
            return self.damaged(str(error))
        if not error_name(error):
            return error  # a bug in our code
        why = next((why for name, why in _REASONS.items() if has_error_name(error, (name,))), None)
        return StorageError("{path}: {why}.", path=self._path, why=why or f"SQLite: {error}")

    def _busy(self) -> BusyError:
        return BusyError(
            "Another program has been writing to {path} for too long; try again.", path=self._path
        )


def missing(path: Path) -> DamagedFileError:
    return DamagedFileError(
        "{path} is missing, although there was one. Bring back the last daily copy: buyerblock restore --latest",
        path=path,
    )


def _newest(connection: sqlite3.Connection) -> tuple[str, int]:
    """Return the lineage, and the number of the newest event."""
    sql = "SELECT lineage, (SELECT coalesce(max(sequence), 0) FROM events) FROM meta"
    ((lineage, newest),) = connection.execute(sql)
    return str(lineage), int(newest)


def _busy_timeout(seconds: float) -> str:
    return f"PRAGMA busy_timeout = {int(seconds * 1000)}"
