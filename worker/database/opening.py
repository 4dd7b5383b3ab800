"""Open the database of a data directory, and detect when it must have existed."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from worker.database.database import Database
from worker.database.schema import NOT_IN_BACKUPS
from worker.database.sqlite import SQLite, missing
from worker.database.sqlite_file import create, rename_lineage
from worker.errors import StorageError
from worker.files import at_work, storage_error
from worker.sentences import Sentence

DATABASE = "buyerblock.db"
COPIES = "backups"  # the folder of the daily backups
# Files that are only created after the database.
_TRACES = ("secret.key", COPIES, f"{DATABASE}-wal")
_MAX_HEADER = 4096  # bytes, of a backup
# Files of version 0.1.
_FORMER = ("blocks.json", "blocks.0.journal", "accounts.json")


def exists(data_dir: Path) -> bool:
    """Return whether a data directory has, or should have, a database. Raises StorageError."""
    return any(_path_exists(data_dir / name) for name in (DATABASE, *_TRACES, *_FORMER))


def open_database(data_dir: Path) -> Database:
    """Return the database of an existing data directory; create an empty one at the first use.

    Raises StorageError, DamagedFileError if it is missing although it existed.
    """
    with at_work("open", data_dir):
        pending = any(data_dir.glob("restore-*.pending"))
    if pending:
        raise StorageError(
            "A restore of {data_dir} was interrupted; run it once more, or start buyerblock, to finish it.",
            data_dir=data_dir,
        )
    path = data_dir / DATABASE
    # Before the database: another process may create the database, and then these, in this moment.
    has_traces = any(_path_exists(data_dir / name) for name in _TRACES)
    if not _path_exists(path):
        if any(_path_exists(data_dir / name) for name in _FORMER):
            raise StorageError(
                "{data_dir} holds the files of buyerblock 0.1, which this version does not read; nothing was changed. "
                "Export the list with version 0.1 (buyerblock export --output blocks.json), name an empty folder in "
                "BUYERBLOCK_DATA_DIR, then run: buyerblock import blocks.json",
                data_dir=data_dir,
            )
        if has_traces:
            raise missing(path)
        create(path)
    database = Database(SQLite(path))
    try:
        _refuse_older_than_copies(data_dir, database)
    except BaseException:
        database.close()
        raise
    return database


def _refuse_older_than_copies(data_dir: Path, database: Database) -> None:
    """Raise DamagedFileError if a daily backup of this database has a newer event."""
    newest = database.engine.newest()
    with at_work("read", data_dir / COPIES):
        copies = list((data_dir / COPIES).glob("*.backup"))
    for path in copies:
        lineage, sequence = _newest_event_in(path)
        if lineage == database.engine.lineage and sequence > newest:
            raise database.engine.damaged(Sentence("it is older than a daily copy of it"))


def _newest_event_in(path: Path) -> tuple[object, int]:
    """Return lineage and newest event from a backup's header, (None, 0) if it cannot be read."""
    try:
        with path.open("rb") as file:
            header = orjson.loads(file.readline(_MAX_HEADER))
        return header["lineage"], int(header["newest"])
    except (OSError, ValueError, LookupError, TypeError):  # a restore will report it
        return None, 0


def open_copy(path: Path) -> Database:
    """Open the database in an existing file. Raises StorageError, DamagedFileError."""
    return Database(SQLite(path))


def close_for_good(path: Path) -> None:
    """Move the log of a database into its file, before it is replaced. Raises StorageError, BusyError if it is open."""
    with closing(SQLite(path)) as engine:
        engine.close_exclusively()


def prepare_replacement(path: Path, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Prepare a copy to replace another database: set these tables, delete the sessions, give it a new lineage.

    Raises StorageError.
    """
    with closing(open_copy(path)) as copy, copy.together():
        for name, documents in {**tables, **{it: {} for it in NOT_IN_BACKUPS}}.items():
            copy.documents(name).truncate()
            copy.documents(name).put(documents)
    rename_lineage(path)


def _path_exists(path: Path) -> bool:
    """Like ``Path.exists``, but a folder without permission gives StorageError, not False."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise storage_error("open", path, error) from error
    return True
