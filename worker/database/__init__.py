"""All stored data, as TinyDB documents over a database engine.

Promise: a change is on disk when the call returns; transactions are atomic; every read sees a snapshot; threads and
processes may share a database. A database that is damaged, or missing although it existed, gives an error; it is never
replaced by an empty one. Start reading at ``database.py``; ``schema.py`` lists the tables.
"""

from worker.database.database import Change, Database
from worker.database.documents import Documents, Plan
from worker.database.opening import (
    COPIES,
    DATABASE,
    close_for_good,
    exists,
    open_copy,
    open_database,
    prepare_replacement,
)
from worker.database.queries import containing
from worker.database.schema import NOT_IN_BACKUPS
from worker.database.shape import checked, listed, reading, stored
from worker.database.sqlite_file import empty_tables
from worker.database.times import format_time, parse_time

__all__ = [
    "COPIES",
    "DATABASE",
    "NOT_IN_BACKUPS",
    "Change",
    "Database",
    "Documents",
    "Plan",
    "checked",
    "close_for_good",
    "containing",
    "empty_tables",
    "exists",
    "format_time",
    "listed",
    "open_copy",
    "open_database",
    "parse_time",
    "prepare_replacement",
    "reading",
    "stored",
]
