"""The SQLite file itself: its tables, how one is made, and what is done to a copy that nobody uses."""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from worker.database.schema import TABLES, VERSION, columns, there
from worker.errors import StorageError
from worker.files import replace_file, storage_error, sync_directory

APPLICATION = 0x42424C4B  # "BBLK": SQLite's application_id
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_DEFINITIONS = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name"


def create(path: Path, lineage: str | None = None) -> None:
    """Make an empty database at path, whole or not at all; one that is there already is left alone.

    lineage: for a copy of another database. Raises StorageError.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        with opened(temporary) as connection:
            connection.executescript(_schema())
            connection.execute("INSERT INTO meta VALUES (?)", (lineage or secrets.token_hex(8),))
        _give_name(temporary, path)
        sync_directory(path.parent)
    except OSError as error:
        raise storage_error("make", path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _give_name(temporary: Path, path: Path) -> None:
    """Give a finished file its name, unless another process was first. Raises OSError."""
    try:
        os.link(temporary, path)  # unlike a rename, never replaces
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            replace_file(temporary, path)


def rename_lineage(path: Path) -> None:
    """Give a copy a name of its own, so that nobody takes its events for those of the database it was made from.

    Raises StorageError.
    """
    with opened(path) as connection:
        connection.execute("UPDATE meta SET lineage = ?", (secrets.token_hex(8),))


def empty_tables(path: Path, tables: Iterable[str]) -> None:
    """Delete the documents of tables in a copy that nobody uses, without a trace in the file. Raises StorageError."""
    with opened(path) as connection:
        for table in tables:
            connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 - tables are ours
        connection.execute("VACUUM")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that nobody else uses, readable by its owner alone."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    except sqlite3.Error as error:
        if is_named(error, DAMAGED):
            raise
        raise StorageError(
            "Cannot write {path}: {error}; free some space or check the permissions, then try again.",
            path=path,
            error=error,
        ) from error
    finally:
        connection.close()


def has_our_tables(connection: sqlite3.Connection) -> bool:
    """Return whether tables and indexes are those of this version, to the letter."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(_schema())
        return connection.execute(_DEFINITIONS).fetchall() == fresh.execute(_DEFINITIONS).fetchall()


def _schema() -> str:
    """Return the SQL that makes all tables and indexes."""
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
        # Stored columns: an index over them answers alone, and what no index answers need not parse every document.
        generated = "".join(
            f", \"{it}\" GENERATED ALWAYS AS (json_extract(document, '{json_path((it,))}')) STORED"
            for it in columns(table)
        )
        statements.append(f'CREATE TABLE "{table}" (key TEXT PRIMARY KEY, document TEXT NOT NULL{generated})')
        for fields in indexes:
            names = ", ".join(f'"{it}"' for it in dict.fromkeys((*fields, "key")))
            made = f'CREATE INDEX "{table}_{"_".join(fields)}" ON "{table}" ({names})'
            statements.append(made + there(fields[0]))
    return ";\n".join([*statements, "COMMIT;"])


def json_path(path: Sequence[str]) -> str:
    """Return SQLite's path to a field; ``queries.py`` lets only plain names through."""
    return "$" + "".join(f".{json.dumps(name)}" for name in path)


def name_of(error: sqlite3.Error) -> str:
    """Return SQLite's name of an error, "" for one of Python's."""
    return str(getattr(error, "sqlite_errorname", ""))


def is_named(error: sqlite3.Error, names: tuple[str, ...]) -> bool:
    """Return whether an error has one of these names, or a more exact one (SQLITE_IOERR, SQLITE_IOERR_READ)."""
    return name_of(error).startswith(names)
