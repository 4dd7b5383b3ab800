"""A block list in an empty database, and its clock."""

from collections.abc import Callable

import pytest
from making import Now

from worker.block_list.block_list import BlockList
from worker.database import Database


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def block_list(database: Database, now: Now) -> BlockList:
    return BlockList(database, now=now)


@pytest.fixture
def other_database(opened: Callable[..., Database]) -> Database:
    return opened("other")
