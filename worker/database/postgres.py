"""The engine for hosts: one seller's part of a PostgreSQL database.

Writers of one seller wait for each other, by an advisory lock on the tenant's number until the commit; different
sellers do not wait. Each query sees a snapshot and never waits.
"""

import os
import secrets
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from errno import EEXIST
from functools import partial
from itertools import islice
from pathlib import Path
from typing import cast

import orjson
import psycopg
from psycopg.abc import QueryNoTemplate
from psycopg.pq import TransactionStatus

from worker.database.engine import Engine, Kind, Row
from worker.database.fair_lock import FairLock
from worker.database.postgres_pool import LOCKS, Connection, Pool, busy, connected, damaged, translate_error
from worker.database.postgres_schema import check_migrations, number_columns
from worker.database.schema import NOT_IN_BACKUPS, TABLES, columns
from worker.database.sqlite import SQLite
from worker.database.sqlite_file import create
from worker.errors import DamagedFileError, StorageError
from worker.files import storage_error
from worker.sentences import Sentence

_BATCH = 1000  # rows of one message to or from the server
_MAX_PLANNED = 100  # values for which PostgreSQL may choose the plan; with more values it must go by keys
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_EVENT = """
    WITH tenant AS (UPDATE tenants SET newest = newest + 1 WHERE id = ? RETURNING id, newest)
    INSERT INTO events SELECT id, newest, ?, ?, ?, ? FROM tenant
"""


def open_pool(url: str, *, connections: int = 16) -> Pool:
    """Connect to a database with the tables of this version. url: in libpq's format. Raises StorageError."""
    with connected(url) as connection:
        check_migrations(connection)
    return Pool(url, connections=connections)


class _ThreadState(threading.local):
    """connection: that of this thread's transaction."""

    connection: Connection | None = None


class Postgres:
    """The data of one tenant. Closing it does not close the shared pool."""

    def __init__(self, pool: Pool, tenant: int) -> None:
        self._pool = pool
        self._tenant = tenant
        self._writer = FairLock()
        self._thread = _ThreadState()

    @property
    def lineage(self) -> str:
        return str(self._of_tenant("lineage"))

    def newest(self) -> int:
        return int(str(self._of_tenant("newest")))

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        if (held := self._transaction_connection()) is not None:
            with _translating():
                return _fetched(held, sql, parameters)
        return self._pool.run(lambda connection: _fetched(connection, sql, parameters))

    def walk(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        if self._transaction_connection() is not None:
            # Read everything now: a walk must not see later changes, nor use the connection after the transaction.
            yield from self.rows(sql, parameters)
            return
        connection, (first, rest) = self._pool.start(lambda it: _first_row(_streamed(it, sql, parameters)))
        try:
            with _translating():
                yield from first
                yield from rest
        finally:
            rest.close()
            self._pool.give(connection)

    def put(self, table: str, documents: Mapping[str, str]) -> None:
        sql = (
            f'INSERT INTO "{table}" (tenant_id, key, document) '  # noqa: S608 - tables are ours
            f"SELECT {self._tenant}, key, document::json FROM unnest(?::text[], ?::text[]) AS new (key, document) "
            "ON CONFLICT (tenant_id, key) DO UPDATE SET document = excluded.document"
        )
        new = {_storable(key): document for key, document in documents.items()}
        for batch in _batches(new.items()):
            self.rows(sql, [list(it) for it in zip(*batch, strict=True)])

    def delete(self, table: str, keys: Iterable[str]) -> None:
        sql = f'DELETE FROM "{table}" WHERE tenant_id = {self._tenant} AND key = ANY(?::text[])'  # noqa: S608 - as above
        if wanted := [_storable(key) for key in keys]:
            self.rows(sql, (wanted,))

    def add_event(self, at: str, by: str, what: str, entries: str) -> None:
        self.rows(_EVENT, (self._tenant, at, by, what, entries))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if (held := self._transaction_connection()) is not None:
            with self._savepoint(held):
                yield
            return
        # Wait before taking a connection: waiting writers of one seller must not use up the pool.
        if not self._writer.acquire(timeout=self._pool.patience):
            raise busy()
        try:
            with self._begun(self._begin):
                self._of_tenant("id")  # raises if the tenant was removed
                yield
                self._execute("COMMIT")
        finally:
            self._writer.release()

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Connection]:
        """Begin a transaction of this thread; roll back at the end what was not committed."""
        former = self._thread.connection
        connection, _ = self._pool.start(lambda connection: connection.execute(_query(begin)))
        try:
            self._thread.connection = connection
            yield connection
        finally:
            self._thread.connection = former
            self._pool.give(connection)

    @property
    def _begin(self) -> str:
        patience = int(self._pool.patience * 1000)
        return f"BEGIN; SET LOCAL lock_timeout = {patience}; SELECT pg_advisory_xact_lock({LOCKS}, {self._tenant})"

    def _execute(self, sql: str) -> None:
        if (held := self._transaction_connection()) is not None:
            with _translating():
                held.execute(_query(sql))

    @contextmanager
    def _savepoint(self, connection: Connection) -> Iterator[None]:
        self._execute("SAVEPOINT part")
        try:
            yield
            self._execute("RELEASE part")
        except BaseException:
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK TO part; RELEASE part")
            raise

    def source(self, table: str) -> str:
        return f'(SELECT * FROM "{table}" WHERE tenant_id = {self._tenant})'  # noqa: S608 - tables are ours

    def field(self, table: str, path: Sequence[str], kind: Kind | None = None) -> str:
        text = f"document #>> {_path(path)}"
        if len(path) == 1 and path[0] in columns(table):
            same = kind in (None, "number" if path[0] in number_columns(table) else "text")
            return f'"{path[0]}"' if same else f"NULL::{'float8' if kind == 'number' else 'text'}"
        if kind is None:
            return f"sortable(document #> {_path(path)})"
        if kind == "text":
            return f"(CASE {self.kind(path)} WHEN 'text' THEN {text} END COLLATE \"C\")"
        return (
            f"CASE json_typeof(document #> {_path(path)}) WHEN 'number' THEN ({text})::numeric "
            f"WHEN 'boolean' THEN ({text})::boolean::integer END"
        )

    def comparable(self, table: str, path: Sequence[str], value: object) -> tuple[str, object]:
        if len(path) == 1 and path[0] in columns(table):
            return "?", value
        return "sortable(?::json)", orjson.dumps(value).decode()

    def kind(self, path: Sequence[str]) -> str:
        kind = f"json_typeof(document #> {_path(path)})"
        return f"CASE {kind} WHEN 'string' THEN 'text' WHEN 'boolean' THEN 'number' ELSE {kind} END"

    def is_one_of(self, field: str, texts: Sequence[str]) -> tuple[str, Sequence[object]]:
        values = [_storable(text) for text in texts]
        if len(values) <= _MAX_PLANNED:
            return f"{field} = ANY(?::text[])", (values,)
        # As JSON: an array takes twice as long, here and on the server.
        return f"{field} = ANY(ARRAY(SELECT json_array_elements_text(?::json)))", (
            orjson.dumps(values).decode(),
        )

    def containing(self, field: str, text: str) -> tuple[str, str]:
        return f"strpos({field}, ?) > 0", text

    def backup(self, target: Path) -> None:
        """Write the tenant's data to a new SQLite file, like that of a program for one seller."""
        if target.exists():
            raise storage_error("write", target, FileExistsError(EEXIST, os.strerror(EEXIST)))
        create(target, self.lineage)
        copy = SQLite(target)
        try:
            with self._begun(_SNAPSHOT) as connection, _translating(), copy.transaction():
                _copy(self, partial(_streamed, connection), copy, TABLES)
            copy.close_exclusively()
        except BaseException:
            copy.close()
            target.unlink(missing_ok=True)
            raise

    def take_over(self, path: Path) -> None:
        """Replace the tenant's data by that of a SQLite file, without its sessions, with a new lineage."""
        with closing(SQLite(path)) as copy, self.transaction():
            for table in (*TABLES, "events"):
                self.rows(f'DELETE FROM "{table}" WHERE tenant_id = ?', (self._tenant,))  # noqa: S608 - as above
            restart = "UPDATE tenants SET newest = 0, lineage = ? WHERE id = ?"
            self.rows(restart, (secrets.token_hex(8), self._tenant))
            _copy(copy, copy.walk, self, [it for it in TABLES if it not in NOT_IN_BACKUPS])

    def check(self) -> None:
        for table in TABLES:
            self.rows(f"SELECT max(length(document::text)) FROM {self.source(table)} AS stored")  # noqa: S608 - as above
        counted = f"SELECT count(*), coalesce(max(sequence), 0) FROM {self.source('events')} AS stored"  # noqa: S608 - as above
        with self._begun(_SNAPSHOT):
            found, newest = self.rows(counted), self.newest()
        if found != [(newest, newest)]:
            raise damaged(Sentence("events are missing"))

    def damaged(self, why: Sentence | str) -> DamagedFileError:
        return damaged(why)

    def close(self) -> None:
        """Do nothing: the connections belong to the pool."""

    def _of_tenant(self, column: str) -> object:
        found = self.rows(f"SELECT {column} FROM tenants WHERE id = ?", (self._tenant,))  # noqa: S608 - columns are ours
        if not found:
            raise StorageError("This seller is no longer here; sign in again.")
        return found[0][0]

    def _transaction_connection(self) -> Connection | None:
        """Return the connection of this thread's transaction, None outside of one."""
        held = self._thread.connection
        # After an error, PostgreSQL rejects further statements, and COMMIT silently stores nothing.
        if held is not None and held.info.transaction_status != TransactionStatus.INTRANS:
            raise StorageError("A change failed, so that nothing of it was stored; try again.")
        return held


def _copy(
    source: Engine, walk: Callable[[str], Iterable[Row]], target: Engine, tables: Iterable[str]
) -> None:
    """Copy documents and events into an empty engine. walk: reads a snapshot of the source."""
    for table in tables:
        for batch in _batches(walk(f"SELECT key, document FROM {source.source(table)} AS stored")):  # noqa: S608 - tables are ours
            target.put(table, dict(batch))
    among = f"{source.source('events')} AS stored"
    for event in walk(f"SELECT at, by, what, entries FROM {among} ORDER BY sequence"):  # noqa: S608 - as above
        target.add_event(*event)


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise translate_error(error) from error


def _fetched(connection: Connection, sql: str, parameters: Sequence[object]) -> list[Row]:
    cursor = connection.execute(_query(sql), [_parameter(it) for it in parameters])
    return cursor.fetchall() if cursor.description else []


def _streamed(
    connection: Connection, sql: str, parameters: Sequence[object] = ()
) -> Generator[Row, None, None]:
    with connection.cursor() as cursor:
        yield from cursor.stream(_query(sql), [_parameter(it) for it in parameters], size=_BATCH)


def _first_row(rows: Generator[Row, None, None]) -> tuple[list[Row], Generator[Row, None, None]]:
    """Send the query; return the first row, if there is one, and the others."""
    return list(islice(rows, 1)), rows


def _batches(items: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _query(sql: str) -> QueryNoTemplate:
    """Return SQL with psycopg's placeholders; our SQL has no other question marks."""
    return cast(QueryNoTemplate, sql.replace("%", "%%").replace("?", "%s").encode())


def _parameter(value: object) -> object:
    if isinstance(value, bool):
        return int(value)  # like ``field``
    return _storable(value) if isinstance(value, str) else value


def _storable(text: str) -> str:
    # PostgreSQL cannot store U+0000.
    return text.replace("\0", "\ufffd")


def _path(path: Sequence[str]) -> str:
    # ``queries.py`` accepts only plain names.
    return "'{" + ",".join(f'"{name}"' for name in path) + "}'"
