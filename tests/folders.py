"""Look into a data directory from outside, as another process would."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.block_list.block_list import BlockList
from worker.database import open_database


@contextmanager
def block_list_in(folder: Path) -> Iterator[BlockList]:
    """Open the block list of a data directory, which is made if it is missing."""
    folder.mkdir(exist_ok=True)
    database = open_database(folder)
    try:
        yield BlockList(database)
    finally:
        database.close()
