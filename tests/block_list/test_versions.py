"""Files written by every version so far open in this one. Each has its folder under ``versions``."""

import shutil
from pathlib import Path

import pytest
from making import Now, alias, notice, order

from worker.block_list.block_list import BlockList

VERSIONS = Path(__file__).parent / "versions"


@pytest.mark.parametrize("version", sorted(path.name for path in VERSIONS.iterdir()))
def test_the_files_of_an_older_version_open(tmp_path: Path, version: str) -> None:
    """Each folder holds: a buyer with an order, an order alone, an unblocked buyer, a manual block with a note."""
    shutil.copytree(VERSIONS / version, tmp_path / "data")
    block_list = BlockList(tmp_path / "data", now=Now())

    assert {block.key: (block.orders, block.reason, block.note) for block in block_list.blocks()} == {
        alias(1): ((order(1),), "opted_out", ""),
        order(2): ((order(2),), "opted_out", ""),
        alias(4): ((), "manual", "by phone"),
    }
    block_list.record([notice(3, buyer=3)])
    assert block_list.get(alias(3)) is None
    assert len(list(block_list.audit())) == 3
    assert block_list.problems() == []
