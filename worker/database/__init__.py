"""Everything that buyerblock keeps, as TinyDB documents over a database engine.

Promise: what a call has changed is on disk when it returns; a transaction happens whole or not at all; every read
sees one whole state; threads and processes may share a database. A database that is damaged, or missing where there
was one, is refused, never replaced by an empty one. Start reading at ``database.py``; ``schema.py`` lists what is kept.
"""

from worker.database.database import Change, Database
from worker.database.documents import Documents, Plan
from worker.database.opening import (
    COPIES,
    DATABASE,
    carry_over,
    close_for_good,
    exists,
    open_copy,
    open_database,
)
from worker.database.queries import containing
from worker.database.schema import MOMENTARY
from worker.database.shape import checked, listed, reading, stored
from worker.database.sqlite_file import empty_tables
from worker.database.times import format_time, parse_time

__all__ = [
    "COPIES",
    "DATABASE",
    "MOMENTARY",
    "Change",
    "Database",
    "Documents",
    "Plan",
    "carry_over",
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
    "reading",
    "stored",
]
