"""The TinyDB database of the block list: tables keyed by alias or order ID, over the journal storage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.table import Table

from worker.block_list.storage import COMPACT_AT, JournalStorage
from worker.block_list.transaction import About


class JournalTable(Table):
    """A table whose document IDs are keys, and whose changes cost what changed, not the whole table."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB documents this as its way to other IDs
    default_query_cache_capacity = 0  # another process may have changed the answer

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        storage: JournalStorage = self._storage  # type: ignore[assignment]  # Database makes no other
        with storage.writing(About("update", by="tinydb")) as transaction:
            updater(transaction.table(self.name))


class Database(TinyDB):
    """The tables ``blocks``, ``unblocked`` and ``imports`` of one directory.

    compact_at: bytes of journal after which it is folded into the snapshot, if half the snapshot is not more.
    """

    table_class = JournalTable

    def __init__(self, directory: Path, *, compact_at: int = COMPACT_AT) -> None:
        self.journal = JournalStorage(directory, compact_at=compact_at)
        super().__init__(storage=lambda: self.journal)
