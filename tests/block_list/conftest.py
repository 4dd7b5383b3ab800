"""A block list in an empty directory, and its clock."""

from pathlib import Path

import pytest
from making import Now

from worker.block_list.block_list import BlockList


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def block_list(tmp_path: Path, now: Now) -> BlockList:
    return BlockList(tmp_path, now=now)
