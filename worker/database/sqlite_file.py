"""The SQLite file: its tables, how to create it, and changes to a copy that nobody uses."""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from worker.database.schema import TABLES, VERSION, columns, partial_index_clause
from worker.errors import StorageError
from worker.files import replace_file, storage_error, sync_directory

APPLICATION = 0x42424C4B  # "BBLK": SQLite's application_id
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_DEFINITIONS = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name"


def create(path: Path, lineage: str | None = None) -> None:
    """Create an empty database atomically; an existing one is not changed.

    lineage: for a copy of another database. Raises StorageError.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        with opened(temporary) as connection:
            connection.executescript(_schema())
            connection.execute("INSERT INTO meta VALUES (?)", (lineage or secrets.token_hex(8),))
        _publish(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        raise storage_error("make", path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _publish(temporary: Path, path: Path) -> None:
    """Rename a finished file, unless another process was first. Raises OSError."""
    try:
        os.link(temporary, path)  # unlike a rename, it never replaces a file
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            replace_file(temporary, path)


def rename_lineage(path: Path) -> None:
    """Give a copy a new lineage, so that its events are not mistaken for those of the original. Raises StorageError."""
    with opened(path) as connection:
        connection.execute("UPDATE meta SET lineage = ?", (secrets.token_hex(8),))


def empty_tables(path: Path, tables: Iterable[str]) -> None:
    """Delete the documents of tables in a copy that nobody uses; the file keeps no trace. Raises StorageError."""
    with opened(path) as connection:
        for table in tables:
            connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 - tables are ours
        connection.execute("VACUUM")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open or create a file that nobody else uses, with mode 0600."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    except sqlite3.Error as error:
        if has_error_name(error, DAMAGED):
            raise
        raise StorageError(
            "Cannot write {path}: {error}; free some space or check the permissions, then try again.",
            path=path,
            error=error,
        ) from error
    finally:
        connection.close()


def has_current_schema(connection: sqlite3.Connection) -> bool:
    """Return whether the definitions of tables and indexes are exactly those of this version."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(_schema())
        return connection.execute(_DEFINITIONS).fetchall() == fresh.execute(_DEFINITIONS).fetchall()


def _schema() -> str:
    """Return the SQL that creates all tables and indexes."""
    statements = [
        "BEGIN",
        f"PRAGMA application_id = {APPLICATION}",
        f"PRAGMA user_version = {VERSION}",
        "CREATE TABLE meta (lineage TEXT NOT NULL)",
        (
            "CREATE TABLE events (sequence INTEGER PRIMARY KEY, at TEXT NOT NULL, by TEXT NOT NULL, "
            "what TEXT NOT NULL, entries TEXT NOT NULL)"
        ),
    ]
    for table, indexes in TABLES.items():
        # Stored columns: covering indexes need no document, and scans without an index need not parse documents.
        generated = "".join(
            f", \"{it}\" GENERATED ALWAYS AS (json_extract(document, '{json_path((it,))}')) STORED"
            for it in columns(table)
        )
        statements.append(f'CREATE TABLE "{table}" (key TEXT PRIMARY KEY, document TEXT NOT NULL{generated})')
        for fields in indexes:
            names = ", ".join(f'"{it}"' for it in dict.fromkeys((*fields, "key")))
            index = f'CREATE INDEX "{table}_{"_".join(fields)}" ON "{table}" ({names})'
            statements.append(index + partial_index_clause(fields[0]))
    return ";\n".join([*statements, "COMMIT;"])


def json_path(path: Sequence[str]) -> str:
    """Return SQLite's path to a field; ``queries.py`` accepts only plain names."""
    return "$" + "".join(f".{json.dumps(name)}" for name in path)


def error_name(error: sqlite3.Error) -> str:
    """Return SQLite's name of an error, "" for an error of Python's module."""
    return str(getattr(error, "sqlite_errorname", ""))


def has_error_name(error: sqlite3.Error, names: tuple[str, ...]) -> bool:
    """Return whether an error's name starts with one of these: SQLITE_IOERR includes SQLITE_IOERR_READ."""
    return error_name(error).startswith(names)
