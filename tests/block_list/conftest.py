"""A block list in an empty database, and its clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from making import Now

from worker.block_list.block_list import BlockList
from worker.database import Database, open_database


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def block_list(database: Database, now: Now) -> BlockList:
    return BlockList(database, now=now)


@pytest.fixture
def other_database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "other").mkdir()
    database = open_database(tmp_path / "other")
    yield database
    database.close()
