"""Backup and restore of the whole list."""

from pathlib import Path

import pytest
from making import Now, alias, notice

from worker.block_list.block_list import BlockList
from worker.block_list.layout import Layout
from worker.errors import DamagedFileError, StorageError


def _backup(block_list: BlockList, path: Path) -> Path:
    path.write_bytes(b"".join(block_list.backup()))
    return path


def _keys(block_list: BlockList) -> list[str]:
    return [block.key for block in block_list.blocks()]


@pytest.mark.parametrize("compact_at", [1, 1_000_000])
def test_a_backup_restores_blocks_and_what_was_unblocked(tmp_path: Path, now: Now, compact_at: int) -> None:
    block_list = BlockList(tmp_path / "list", now=now, compact_at=compact_at)
    block_list.record([notice(1, buyer=1), notice(2, buyer=2)])
    block_list.unblock(alias(2), by="test")
    backup = _backup(block_list, tmp_path / "backup")
    block_list.record([notice(3, buyer=3)])
    block_list.unblock(alias(1), by="test")
    reader = BlockList(tmp_path / "list")
    assert _keys(reader) == [alias(3)]

    block_list.restore(backup)
    block_list.record([notice(2, buyer=2)])
    assert _keys(block_list) == _keys(reader) == _keys(BlockList(tmp_path / "list")) == [alias(1)]
    block_list.record([notice(4, buyer=4)])
    assert len(reader) == 2


def test_a_backup_restores_on_another_machine(tmp_path: Path, block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1)])
    other = BlockList(tmp_path / "other machine")

    other.restore(_backup(block_list, tmp_path / "backup"))
    assert _keys(other) == [alias(1)]


def test_a_damaged_backup_changes_nothing(tmp_path: Path, block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1)])
    backup = _backup(block_list, tmp_path / "backup")
    backup.write_bytes(backup.read_bytes().replace(b"opted_out", b"opted_Out"))

    with pytest.raises(DamagedFileError, match="backup is damaged"):
        block_list.restore(backup)
    with pytest.raises(StorageError, match="Cannot read"):
        block_list.restore(tmp_path / "missing")
    assert _keys(block_list) == [alias(1)]


def test_restoring_ends_the_refusal_of_a_damaged_list(tmp_path: Path, block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1)])
    backup = _backup(block_list, tmp_path / "backup")
    damaged = BlockList(tmp_path / "damaged")
    (tmp_path / "damaged").mkdir()
    Layout(tmp_path / "damaged").snapshot.write_bytes(b"garbage")
    with pytest.raises(DamagedFileError):
        len(damaged)

    damaged.restore(backup)
    assert _keys(damaged) == [alias(1)]
    assert len(Layout(tmp_path / "damaged").set_aside()) == 1


def test_damage_after_a_restore_never_mixes_two_lists(tmp_path: Path) -> None:
    """Both lists have seen one transaction, so that the next one would fit either."""
    block_list, other = BlockList(tmp_path / "list"), BlockList(tmp_path / "other")
    block_list.record([notice(1, buyer=1)])
    other.record([notice(2, buyer=2)])
    block_list.restore(_backup(other, tmp_path / "backup"))
    block_list.record([notice(3, buyer=3)])
    Layout(tmp_path / "list").snapshot.write_bytes(b"garbage")

    with pytest.raises(DamagedFileError, match="some may be missing"):
        len(BlockList(tmp_path / "list"))


def test_a_backup_while_others_write_is_one_whole_state(block_list: BlockList, tmp_path: Path) -> None:
    block_list.record([notice(1, buyer=1)])
    pieces = block_list.backup()
    first = next(pieces)
    block_list.record([notice(2, buyer=2)])
    (tmp_path / "backup").write_bytes(first + b"".join(pieces))

    other = BlockList(tmp_path / "other")
    other.restore(tmp_path / "backup")
    assert _keys(other) == [alias(1)]
