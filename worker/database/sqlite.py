"""The engine that keeps everything in one SQLite file, shared by threads and processes.

Write-ahead logging lets readers read while somebody writes; ``synchronous=FULL`` makes a commit durable.
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
from worker.database.schema import VERSION, columns
from worker.database.seen import Seen
from worker.database.sqlite_file import (
    APPLICATION,
    DAMAGED,
    has_our_tables,
    is_named,
    json_path,
    name_of,
    opened,
)
from worker.database.turns import Turns
from worker.errors import BusyError, DamagedFileError, StorageError
from worker.files import at_work, storage_error
from worker.sentences import Sentence

_PATIENCE = 10.0  # seconds to wait for another writer
_RETRY = 0.0003  # seconds between two tries; SQLite's own waits grow, and let a busy process starve another
# Bytes of the write-ahead log; a large import, or readers without a pause, let it grow.
_LARGEST_LOG = 64 * 2**20
_READERS_END = 0.2  # seconds to wait for the readers of an old state
_REASONS = {
    "SQLITE_FULL": Sentence("The disk is full; free some space, then try again"),
    "SQLITE_READONLY": Sentence("It may not be written to; check its permissions, then try again"),
    "SQLITE_CANTOPEN": Sentence("It cannot be opened; check the permissions of its folder, then try again"),
    "SQLITE_PERM": Sentence("It may not be opened; check its permissions, then try again"),
    "SQLITE_IOERR": Sentence("The disk failed; check it and its free space, then try again"),
}
_GLOB_SIGNS = re.compile(r"[*?\[]")
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")


class _Held(threading.local):
    """The connection of this thread's transaction."""

    connection: sqlite3.Connection | None = None


class SQLite:
    """A database in one file.

    There are as many connections as were ever needed at the same time. patience: seconds to wait for another writer
    before BusyError.
    """

    def __init__(self, path: Path, *, patience: float = _PATIENCE) -> None:
        self._path = path
        # mode=rw: a file that is missing must not become an empty list.
        self._uri = f"{path.absolute().as_uri()}?mode=rw"
        self._log = path.with_name(f"{path.name}-wal").absolute()
        self._patience = patience
        self._writer = Turns()
        self._idle: deque[sqlite3.Connection] = deque()
        self._held = _Held()
        self._closed = False
        self._damage: DamagedFileError | None = None
        self._seen = Seen(path)
        with self._connection() as connection:
            self._look(connection)

    @property
    def lineage(self) -> str:
        return self._seen.lineage

    def newest(self) -> int:
        with self._connection() as connection:
            if connection is not self._held.connection:
                self._look(connection)
            return _newest(connection)[1]

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        # As in _connection, without its costs: this is what a look at a key is made of.
        held = self._of_transaction()
        connection = held or self._take()
        try:
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._translated(error) from error
        finally:
            if held is None:
                self._give(connection)

    def walk(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        if self._of_transaction() is not None:
            # Read at once: a walk must not see later changes, nor outlive the transaction on its connection.
            yield from self.rows(sql, parameters)
            return
        # Closing it ends the state that it reads, even if nobody wanted the rest.
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
        if (held := self._of_transaction()) is not None:
            with self._part(held):
                yield
            return
        deadline = time.monotonic() + self._patience
        if not self._writer.acquire(timeout=self._patience):
            raise self._busy()
        try:
            with self._connection() as connection:
                try:
                    self._retry(connection, "BEGIN IMMEDIATE", deadline)
                    self._look(connection)
                    self._held.connection = connection
                    yield
                    self._of_transaction()
                    _, newest = _newest(connection)
                    connection.execute("COMMIT")
                    self._seen.stored(newest)
                    self._shorten_log(connection)
                finally:
                    self._held.connection = None
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        finally:
            self._writer.release()

    def _retry(self, connection: sqlite3.Connection, sql: str, deadline: float) -> None:
        connection.execute(_wait(0))
        try:
            while True:
                try:
                    connection.execute(sql)
                except sqlite3.OperationalError as error:
                    if not is_named(error, _BUSY) or time.monotonic() > deadline:
                        raise
                    time.sleep(_RETRY)
                else:
                    return
        finally:
            connection.execute(_wait(self._patience))

    def _shorten_log(self, connection: sqlite3.Connection) -> None:
        # The change is durable: what fails here is tried again after the next one.
        with suppress(OSError, sqlite3.Error):
            if self._log.stat().st_size > _LARGEST_LOG:
                connection.execute(_wait(_READERS_END))
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute(_wait(self._patience))

    @contextmanager
    def _part(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Make what happens inside a part of the transaction, or nothing of it."""
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
        if len(path) == 1 and path[0] in columns(table):  # which hold values of one kind
            return f'"{path[0]}"'
        value = f"json_extract(document, '{json_path(path)}')"
        return f"CASE {self.kind(path)} WHEN '{kind}' THEN {value} END" if kind else value

    def place(self, table: str, path: Sequence[str], value: object) -> tuple[str, object]:  # noqa: ARG002 - as it is
        return "?", value

    def kind(self, path: Sequence[str]) -> str:
        return (
            f"CASE json_type(document, '{json_path(path)}') WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' "
            f"WHEN 'true' THEN 'number' WHEN 'false' THEN 'number' ELSE json_type(document, '{json_path(path)}') END"
        )

    def among(self, field: str, texts: Sequence[str]) -> tuple[str, Sequence[object]]:
        return f"{field} IN ({', '.join('?' * len(texts))})", texts

    def containing(self, field: str, text: str) -> tuple[str, str]:
        # instr() would take a third longer.
        return f"{field} GLOB ?", "*" + _GLOB_SIGNS.sub(r"[\g<0>]", text) + "*"

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
                if answer == "ok" and not has_our_tables(connection):
                    answer = "its tables are not those of this version"
            if answer != "ok":
                raise self.damaged(str(answer))
        except DamagedFileError as error:
            raise self._end(error) from error

    def leave(self) -> None:
        """Close a database that is to be replaced: its file holds everything then, and nobody else has it open.

        Raises BusyError where somebody has it open for too long.
        """
        with self._connection() as connection:
            # Only alone can one end write-ahead logging.
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
        """Lend the connection of this thread's transaction, or another one."""
        held = self._of_transaction()
        connection = held or self._take()
        try:
            yield connection
        except sqlite3.Error as error:
            raise self._translated(error) from error
        finally:
            if held is None:
                self._give(connection)

    def _of_transaction(self) -> sqlite3.Connection | None:
        """Return the connection of this thread's transaction, None outside of one."""
        held = self._held.connection
        # SQLite ends a transaction when the disk is full. What came after would be stored without what came before.
        if held is not None and not held.in_transaction:
            raise StorageError(
                "{path}: A change failed, so that nothing of it was stored; try again.", path=self._path
            )
        return held

    def _take(self) -> sqlite3.Connection:
        if self._seen.lineage and self._touched():
            # What the others hold in memory may be of another file.
            while self._idle:
                self._idle.pop().close()
            return self._opened(look=True)
        try:
            return self._idle.pop()
        except IndexError:
            return self._opened()

    def _opened(self, *, look: bool = False) -> sqlite3.Connection:
        try:
            return self._connect(look=look)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _touched(self) -> bool:
        try:
            return self._seen.touched()
        except OSError as error:
            raise self._gone(error) from error

    def _look(self, connection: sqlite3.Connection) -> None:
        """Raise DamagedFileError where the file is not what this process has seen before."""
        try:
            why = self._seen.wrong(lambda: _newest(connection))
        except OSError as error:
            raise self._gone(error) from error
        if why:
            raise self._end(self.damaged(why))

    def _gone(self, error: OSError) -> StorageError:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return self._end(missing(self._path))
        return storage_error("open", self._path, error)

    def _end(self, error: DamagedFileError) -> DamagedFileError:
        """Give no answers from now on, and return the error: what is still readable may be wrong."""
        self._damage = error
        self.close()
        return error

    def _give(self, connection: sqlite3.Connection) -> None:
        # In a transaction: even its ROLLBACK failed.
        if self._closed or connection.in_transaction:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self, *, look: bool) -> sqlite3.Connection:
        if self._damage:
            raise DamagedFileError(self._damage.template, **self._damage.fields)
        connection = sqlite3.connect(self._uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(_wait(self._patience))
            self._recognize(connection)
            # SQLite itself does not wait here: it holds a lock already that the other may be waiting for.
            self._retry(connection, "PRAGMA journal_mode = WAL", time.monotonic() + self._patience)
            connection.execute("PRAGMA synchronous = FULL")
            if look:
                self._look(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _recognize(self, connection: sqlite3.Connection) -> None:
        """Refuse a file that is not ours before anything of it is changed."""
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        if application != APPLICATION:
            raise self.damaged(Sentence("it is no database of buyerblock"))
        if version > VERSION:
            raise StorageError(
                "{path} was written by a newer version of buyerblock; use that version.", path=self._path
            )

    def _translated(self, error: sqlite3.Error) -> Exception:
        if is_named(error, _BUSY):
            return self._busy()
        # SQLITE_ERROR: a table is missing, or a document is no JSON. Without a name: a text is no UTF-8.
        unreadable = type(error) is sqlite3.OperationalError and not name_of(error)
        if unreadable or is_named(error, (*DAMAGED, "SQLITE_ERROR")):
            return self.damaged(str(error))
        if not name_of(error):
            return error  # a mistake of ours, not of the disk
        why = next((why for name, why in _REASONS.items() if is_named(error, (name,))), None)
        return StorageError("{path}: {why}.", path=self._path, why=why or f"SQLite: {error}")

    def _busy(self) -> BusyError:
        return BusyError(
            "Another program has been writing to {path} for too long; try again.", path=self._path
        )


def missing(path: Path) -> DamagedFileError:
    """Return the error for a file that is gone."""
    return DamagedFileError(
        "{path} is missing, although there was one. Bring back the last daily copy: buyerblock restore --latest",
        path=path,
    )


def _newest(connection: sqlite3.Connection) -> tuple[str, int]:
    """Return the lineage, and the number of the newest event."""
    sql = "SELECT lineage, (SELECT coalesce(max(sequence), 0) FROM events) FROM meta"
    ((lineage, newest),) = connection.execute(sql)
    return str(lineage), int(newest)


def _wait(seconds: float) -> str:
    return f"PRAGMA busy_timeout = {int(seconds * 1000)}"
