"""The engine for hosts: one seller's part of a PostgreSQL database.

The writers of a seller take turns, held by a lock on the seller's number until the commit; those of others do not
wait. Each question sees one whole state and waits for nobody.
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
from worker.database.postgres_pool import LOCKS, Connection, Pool, busy, connected, damaged, translated
from worker.database.postgres_schema import check_migrations, number_columns
from worker.database.schema import MOMENTARY, TABLES, columns
from worker.database.sqlite import SQLite
from worker.database.sqlite_file import create
from worker.database.turns import Turns
from worker.errors import DamagedFileError, StorageError
from worker.files import storage_error
from worker.sentences import Sentence

_AT_ONCE = 1000  # rows of one message to or from the server
_PLANNED = 100  # values that a query's plan may go by; with more it goes by keys
_ONE_STATE = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_EVENT = """
    WITH tenant AS (UPDATE tenants SET newest = newest + 1 WHERE id = ? RETURNING id, newest)
    INSERT INTO events SELECT id, newest, ?, ?, ?, ? FROM tenant
"""


def open_pool(url: str, *, connections: int = 16) -> Pool:
    """Connect to a database with the tables of this version. url: as libpq takes it. Raises StorageError."""
    with connected(url) as connection:
        check_migrations(connection)
    return Pool(url, connections=connections)


class _Held(threading.local):
    """The connection of this thread's transaction."""

    connection: Connection | None = None


class Postgres:
    """What is kept for one tenant. Closing it leaves the pool open, which many share."""

    def __init__(self, pool: Pool, tenant: int) -> None:
        self._pool = pool
        self._tenant = tenant
        self._writer = Turns()
        self._held = _Held()

    @property
    def lineage(self) -> str:
        return str(self._of_tenant("lineage"))

    def newest(self) -> int:
        return int(str(self._of_tenant("newest")))

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        if (held := self._of_transaction()) is not None:
            with _translating():
                return _fetched(held, sql, parameters)
        return self._pool.run(lambda connection: _fetched(connection, sql, parameters))

    def walk(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        if self._of_transaction() is not None:
            # Read at once: a walk must not see later changes, nor outlive the transaction on its connection.
            yield from self.rows(sql, parameters)
            return
        connection, (first, rest) = self._pool.start(lambda it: _started(_streamed(it, sql, parameters)))
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
        new = {_stored(key): document for key, document in documents.items()}
        for some in _batches(new.items()):
            self.rows(sql, [list(it) for it in zip(*some, strict=True)])

    def delete(self, table: str, keys: Iterable[str]) -> None:
        sql = f'DELETE FROM "{table}" WHERE tenant_id = {self._tenant} AND key = ANY(?::text[])'  # noqa: S608 - as above
        if wanted := [_stored(key) for key in keys]:
            self.rows(sql, (wanted,))

    def add_event(self, at: str, by: str, what: str, entries: str) -> None:
        self.rows(_EVENT, (self._tenant, at, by, what, entries))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if (held := self._of_transaction()) is not None:
            with self._part(held):
                yield
            return
        # Before a connection is taken: the writers of one seller must not take them all.
        if not self._writer.acquire(timeout=self._pool.patience):
            raise busy()
        try:
            with self._lent(self._begin):
                self._of_tenant("id")  # it may have been removed meanwhile
                yield
                self._execute("COMMIT")
        finally:
            self._writer.release()

    @contextmanager
    def _lent(self, begin: str) -> Iterator[Connection]:
        """Begin a transaction of this thread. What is not committed inside is undone."""
        former = self._held.connection
        connection, _ = self._pool.start(lambda connection: connection.execute(_query(begin)))
        try:
            self._held.connection = connection
            yield connection
        finally:
            self._held.connection = former
            self._pool.give(connection)

    @property
    def _begin(self) -> str:
        patience = int(self._pool.patience * 1000)
        return f"BEGIN; SET LOCAL lock_timeout = {patience}; SELECT pg_advisory_xact_lock({LOCKS}, {self._tenant})"

    def _execute(self, sql: str) -> None:
        if (held := self._of_transaction()) is not None:
            with _translating():
                held.execute(_query(sql))

    @contextmanager
    def _part(self, connection: Connection) -> Iterator[None]:
        """Make what happens inside a part of the transaction, or nothing of it."""
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

    def place(self, table: str, path: Sequence[str], value: object) -> tuple[str, object]:
        if len(path) == 1 and path[0] in columns(table):
            return "?", value
        return "sortable(?::json)", orjson.dumps(value).decode()

    def kind(self, path: Sequence[str]) -> str:
        kind = f"json_typeof(document #> {_path(path)})"
        return f"CASE {kind} WHEN 'string' THEN 'text' WHEN 'boolean' THEN 'number' ELSE {kind} END"

    def among(self, field: str, texts: Sequence[str]) -> tuple[str, Sequence[object]]:
        values = [_stored(text) for text in texts]
        if len(values) <= _PLANNED:
            return f"{field} = ANY(?::text[])", (values,)
        # An array would take twice as long, here and there.
        return f"{field} = ANY(ARRAY(SELECT json_array_elements_text(?::json)))", (
            orjson.dumps(values).decode(),
        )

    def containing(self, field: str, text: str) -> tuple[str, str]:
        return f"strpos({field}, ?) > 0", text

    def backup(self, target: Path) -> None:
        """Write all of it to a new file of the engine SQLite, as a program for one seller has it."""
        if target.exists():
            raise storage_error("write", target, FileExistsError(EEXIST, os.strerror(EEXIST)))
        create(target, self.lineage)
        copy = SQLite(target)
        try:
            with self._lent(_ONE_STATE) as connection, _translating(), copy.transaction():
                _copy(self, partial(_streamed, connection), copy, TABLES)
            copy.leave()
        except BaseException:
            copy.close()
            target.unlink(missing_ok=True)
            raise

    def take_over(self, path: Path) -> None:
        """Replace all of it by what a file of the engine SQLite holds, but its sessions, under another lineage."""
        with closing(SQLite(path)) as copy, self.transaction():
            for table in (*TABLES, "events"):
                self.rows(f'DELETE FROM "{table}" WHERE tenant_id = ?', (self._tenant,))  # noqa: S608 - as above
            restart = "UPDATE tenants SET newest = 0, lineage = ? WHERE id = ?"
            self.rows(restart, (secrets.token_hex(8), self._tenant))
            _copy(copy, copy.walk, self, [it for it in TABLES if it not in MOMENTARY])

    def check(self) -> None:
        for table in TABLES:
            self.rows(f"SELECT max(length(document::text)) FROM {self.source(table)} AS stored")  # noqa: S608 - as above
        counted = f"SELECT count(*), coalesce(max(sequence), 0) FROM {self.source('events')} AS stored"  # noqa: S608 - as above
        with self._lent(_ONE_STATE):
            found, newest = self.rows(counted), self.newest()
        if found != [(newest, newest)]:
            raise damaged(Sentence("events are missing"))

    def damaged(self, why: Sentence | str) -> DamagedFileError:
        return damaged(why)

    def close(self) -> None:
        """Do nothing: connections are the pool's."""

    def _of_tenant(self, column: str) -> object:
        found = self.rows(f"SELECT {column} FROM tenants WHERE id = ?", (self._tenant,))  # noqa: S608 - columns are ours
        if not found:
            raise StorageError("This seller is no longer here; sign in again.")
        return found[0][0]

    def _of_transaction(self) -> Connection | None:
        """Return the connection of this thread's transaction, None outside of one."""
        held = self._held.connection
        # What came after would be refused, and COMMIT would store nothing without a word.
        if held is not None and held.info.transaction_status != TransactionStatus.INTRANS:
            raise StorageError("A change failed, so that nothing of it was stored; try again.")
        return held


def _copy(
    source: Engine, walk: Callable[[str], Iterable[Row]], target: Engine, tables: Iterable[str]
) -> None:
    """Copy documents and events into an engine that has none. walk: reads the source, one whole state."""
    for table in tables:
        for some in _batches(walk(f"SELECT key, document FROM {source.source(table)} AS stored")):  # noqa: S608 - tables are ours
            target.put(table, dict(some))
    among = f"{source.source('events')} AS stored"
    for event in walk(f"SELECT at, by, what, entries FROM {among} ORDER BY sequence"):  # noqa: S608 - as above
        target.add_event(*event)


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise translated(error) from error


def _fetched(connection: Connection, sql: str, parameters: Sequence[object]) -> list[Row]:
    cursor = connection.execute(_query(sql), [_parameter(it) for it in parameters])
    return cursor.fetchall() if cursor.description else []


def _streamed(
    connection: Connection, sql: str, parameters: Sequence[object] = ()
) -> Generator[Row, None, None]:
    with connection.cursor() as cursor:
        yield from cursor.stream(_query(sql), [_parameter(it) for it in parameters], size=_AT_ONCE)


def _started(rows: Generator[Row, None, None]) -> tuple[list[Row], Generator[Row, None, None]]:
    """Ask the question; return the first row, if there is one, and the others."""
    return list(islice(rows, 1)), rows


def _batches(items: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(items)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _query(sql: str) -> QueryNoTemplate:
    """Return SQL as psycopg takes it; no text of ours holds a question mark."""
    return cast(QueryNoTemplate, sql.replace("%", "%%").replace("?", "%s").encode())


def _parameter(value: object) -> object:
    if isinstance(value, bool):
        return int(value)  # as ``field`` has it
    return _stored(value) if isinstance(value, str) else value


def _stored(text: str) -> str:
    """Return a text as it can be stored: PostgreSQL has no U+0000."""
    return text.replace("\0", "\ufffd")


def _path(path: Sequence[str]) -> str:
    # ``queries.py`` lets only plain names through.
    return "'{" + ",".join(f'"{name}"' for name in path) + "}'"
