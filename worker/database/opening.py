"""Which database belongs to a data directory, and when there must have been one."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from worker.database.database import Database
from worker.database.schema import MOMENTARY
from worker.database.sqlite import SQLite, missing
from worker.database.sqlite_file import create, rename_lineage
from worker.errors import StorageError
from worker.files import at_work, storage_error
from worker.sentences import Sentence

DATABASE = "buyerblock.db"
COPIES = "backups"  # the daily copies are in this folder of the data directory
# What is only made after the database.
_SIGNS = ("secret.key", COPIES, f"{DATABASE}-wal")
_MAX_FIRST_LINE = 4096  # bytes, of a copy
# Files of version 0.1.
_FORMER = ("blocks.json", "blocks.0.journal", "accounts.json")


def exists(data_dir: Path) -> bool:
    """Return whether a data directory has, or should have, a database. Raises StorageError."""
    return any(_is_there(data_dir / name) for name in (DATABASE, *_SIGNS, *_FORMER))


def open_database(data_dir: Path) -> Database:
    """Return the database of a data directory, which exists; an empty one at the first use.

    Raises StorageError, DamagedFileError where it is missing although there was one.
    """
    with at_work("open", data_dir):
        pending = any(data_dir.glob("restore-*.pending"))
    if pending:
        raise StorageError(
            "A restore of {data_dir} was interrupted; run it once more, or start buyerblock, to finish it.",
            data_dir=data_dir,
        )
    path = data_dir / DATABASE
    # Looked for first: another process may be making the database, and then these, right now.
    signs = any(_is_there(data_dir / name) for name in _SIGNS)
    if not _is_there(path):
        if any(_is_there(data_dir / name) for name in _FORMER):
            raise StorageError(
                "{data_dir} holds the files of buyerblock 0.1, which this version does not read; nothing was changed. "
                "Export the list with version 0.1 (buyerblock export --output blocks.json), name an empty folder in "
                "BUYERBLOCK_DATA_DIR, then run: buyerblock import blocks.json",
                data_dir=data_dir,
            )
        if signs:
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
    """Raise DamagedFileError if a daily copy of this database knows more of it than is there."""
    newest = database.engine.newest()
    with at_work("read", data_dir / COPIES):
        copies = list((data_dir / COPIES).glob("*.backup"))
    for path in copies:
        lineage, sequence = _newest_in_copy(path)
        if lineage == database.engine.lineage and sequence > newest:
            raise database.engine.damaged(Sentence("it is older than a daily copy of it"))


def _newest_in_copy(path: Path) -> tuple[object, int]:
    """Return the lineage and the newest event that the first line of a copy names; nothing, where it names none."""
    try:
        with path.open("rb") as file:
            about = orjson.loads(file.readline(_MAX_FIRST_LINE))
        return about["lineage"], int(about["newest"])
    except (OSError, ValueError, LookupError, TypeError):  # a restore of this copy will say so
        return None, 0


def open_copy(path: Path) -> Database:
    """Return the database in a file that exists, wherever it is. Raises StorageError, DamagedFileError."""
    return Database(SQLite(path))


def close_for_good(path: Path) -> None:
    """Put all of a database into its file, to be replaced. Raises BusyError while anybody has it open, StorageError."""
    with closing(SQLite(path)) as engine:
        engine.leave()


def carry_over(path: Path, tables: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Make a copy ready to take the place of another database: with these tables of that one, and a name of its own.

    No session of the copy goes on. Raises StorageError.
    """
    with closing(open_copy(path)) as copy, copy.together():
        for name, documents in {**tables, **{it: {} for it in MOMENTARY}}.items():
            copy.documents(name).truncate()
            copy.documents(name).put(documents)
    rename_lineage(path)


def _is_there(path: Path) -> bool:
    """Unlike ``Path.exists``, take no folder that may not be looked into for an empty one. Raises StorageError."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise storage_error("open", path, error) from error
    return True
