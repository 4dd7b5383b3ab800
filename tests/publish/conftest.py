"""A follower over a list in an empty database, and a folder for its copies."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ticking import Seconds

from worker.block_list import BlockList
from worker.database import Database
from worker.publish import Copies, Follower

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def block_list(database: Database) -> BlockList:
    return BlockList(database, now=lambda: NOW)


@pytest.fixture
def copies(database: Database) -> Copies:
    return Copies(database)


@pytest.fixture
def follower(database: Database, seconds: Seconds) -> Follower:
    return Follower(database, now=lambda: NOW, monotonic=seconds)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"
