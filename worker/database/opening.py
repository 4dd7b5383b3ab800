"""Which database belongs to a data directory, and when there must have been one."""

from pathlib import Path

from worker.database import sqlite
from worker.database.database import Database
from worker.errors import DamagedFileError, StorageError

NAME = "buyerblock.db"
COPIES = "backups"  # the daily copies are in this folder of the data directory
# What is only made after the database.
_SIGNS = ("secret.key", COPIES)
# Files of version 0.1.
_FORMER = ("blocks.json", "blocks.0.journal", "accounts.json")


def exists(data_dir: Path) -> bool:
    """Return whether a data directory has, or should have, a database."""
    return any((data_dir / name).exists() for name in (NAME, *_SIGNS, *_FORMER))


def open_database(data_dir: Path) -> Database:
    """Return the database of a data directory, which exists; an empty one at the first use.

    Raises StorageError, DamagedFileError where it is missing although there was one.
    """
    path = data_dir / NAME
    if not path.exists():
        if any((data_dir / name).exists() for name in _FORMER):
            raise StorageError(
                f"{data_dir} holds the files of buyerblock 0.1, which this version does not read; nothing was changed. "
                "Export the list with version 0.1 (buyerblock export --output blocks.json), name an empty folder in "
                "BUYERBLOCK_DATA_DIR, then run: buyerblock import blocks.json"
            )
        if any((data_dir / name).exists() for name in _SIGNS):
            raise DamagedFileError(
                f"{path} is missing, although there was one. Bring back the last daily copy: "
                "buyerblock restore --latest"
            )
        sqlite.create(path)
    return Database(sqlite.SQLite(path))
