"""Waiting for another writer ends."""

from pathlib import Path

import pytest

from worker.block_list.lock import WriteLock
from worker.errors import BusyError


def test_a_lock_held_elsewhere_for_too_long_is_one_sentence(tmp_path: Path) -> None:
    with (
        WriteLock(tmp_path / "lock").held(),
        pytest.raises(BusyError, match="Another program has been writing"),
        WriteLock(tmp_path / "lock", seconds=0.01).held(),
    ):
        pass


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    lock = WriteLock(tmp_path / "lock")
    with pytest.raises(ValueError, match="inside"), lock.held():
        raise ValueError("inside")

    with WriteLock(tmp_path / "lock", seconds=0.01).held():
        assert (tmp_path / "lock").exists()
