"""A full disk and a failing fsync at every step: a clear error, and the list as it was."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from making import alias, notice

from worker.block_list.block_list import BlockList
from worker.errors import StorageError

_CALLS = [(os, "fsync"), (os, "open"), (os, "write"), (os, "link"), (Path, "replace"), (Path, "unlink")]


class _Disk:
    """Lets the calls that change the disk succeed until one of them is due to fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails_at: int | None = None

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.fails_at:
                raise OSError(28, "No space left on device")
            return call(*args, **kwargs)

        return wrapped


@contextmanager
def _disk(*, fails_at: int | None = None) -> Iterator[_Disk]:
    disk = _Disk()
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in _CALLS:
            if hasattr(owner, name):
                patch.setattr(owner, name, disk.wrap(getattr(owner, name)))
        disk.fails_at = fails_at
        yield disk


def _keys(directory: Path) -> list[str]:
    return [block.key for block in BlockList(directory).blocks()]


def test_a_write_is_on_the_disk_before_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block_list = BlockList(tmp_path)
    block_list.record([notice(1, buyer=1)])
    synced: list[int] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        sync(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", watched)
    block_list.record([notice(2, buyer=2)])
    assert synced[-1] == (tmp_path / "blocks.0.journal").stat().st_size


def test_what_another_process_may_not_have_synced_is_synced_before_it_counts_as_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block_list = BlockList(tmp_path)
    assert len(block_list) == 0
    BlockList(tmp_path).record([notice(1, buyer=1)])
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))

    assert block_list.record([notice(1, buyer=1)]) == 0
    assert synced == [(tmp_path / "blocks.0.journal").stat().st_size]


def test_a_failure_at_any_step_of_a_write_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    for step in count(1):
        directory = tmp_path / str(step)
        block_list = BlockList(directory)
        block_list.record([notice(1, buyer=1)])
        with _disk(fails_at=step) as disk:
            try:
                block_list.record([notice(2, buyer=2)])
            except StorageError as error:
                assert "No space left on device" in str(error)  # noqa: PT017 - most steps must raise, the last does not
                assert (len(block_list), _keys(directory)) == (1, [alias(1)])
        if disk.calls < step:
            break
        block_list.record([notice(2, buyer=2)])
        assert _keys(directory) == [block.key for block in block_list.blocks()] == [alias(1), alias(2)]
    assert step > 2


def test_a_failure_at_any_step_of_the_first_write_leaves_a_list_that_works(tmp_path: Path) -> None:
    for step in count(1):
        block_list = BlockList(tmp_path / str(step))
        with _disk(fails_at=step) as disk:
            try:
                block_list.record([notice(1, buyer=1)])
            except StorageError:
                assert _keys(tmp_path / str(step)) == []
        if disk.calls < step:
            break
        block_list.record([notice(1, buyer=1)])
        assert _keys(tmp_path / str(step)) == [alias(1)]
    assert step > 5


def test_a_failure_at_any_step_of_folding_the_journal_loses_nothing(tmp_path: Path) -> None:
    """The journal is so short here that every write folds it: the write is safe before folding begins."""
    for step in count(1):
        directory = tmp_path / str(step)
        first = BlockList(directory, compact_at=1)
        first.record([notice(1, buyer=1)])
        acknowledged = {alias(1)}
        with _disk(fails_at=step) as disk:
            for number in (2, 3):
                try:
                    first.record([notice(number, buyer=number)])
                except StorageError:
                    continue
                acknowledged.add(alias(number))
        assert set(_keys(directory)) == {block.key for block in first.blocks()} == acknowledged
        if disk.calls < step:
            break
        first.record([notice(4, buyer=4)])
        assert set(_keys(directory)) == acknowledged | {alias(4)}
        assert len(list(BlockList(directory).audit())) == len(acknowledged) + 1
    assert step > 20


def test_a_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="Cannot make the directory"):
        BlockList(tmp_path / "file" / "data").block([alias(1)], by="test")
