"""Preferences: kept, validated, private, and shared between processes."""

import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from worker import preferences as module
from worker.errors import BusyError, DamagedFileError, UsageError
from worker.preferences import Preferences, change_preferences, read_preferences, sync_interval
from worker.settings import read_settings


def expire_after(days: int | None, directory: Path) -> Preferences:
    return change_preferences(directory, lambda it: replace(it, expire_after_days=days))


def test_blocks_never_expire_unless_somebody_says_so(tmp_path: Path) -> None:
    assert read_preferences(tmp_path) == Preferences(expire_after_days=None)
    assert list(tmp_path.iterdir()) == []


def test_what_was_set_is_read_back_by_everybody(tmp_path: Path) -> None:
    assert expire_after(365, tmp_path) == read_preferences(tmp_path) == Preferences(expire_after_days=365)
    assert expire_after(None, tmp_path) == read_preferences(tmp_path) == Preferences()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps files private by other means")
def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    expire_after(365, tmp_path)
    assert stat.S_IMODE((tmp_path / "preferences.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("days", [-1, 0, 29, 36_501, 10**30, True, 30.5, "90"])
def test_a_number_of_days_that_will_not_do_is_refused(days: int, tmp_path: Path) -> None:
    expire_after(90, tmp_path)
    with pytest.raises(UsageError, match="30 to 36,500 days"):
        expire_after(days, tmp_path)
    assert read_preferences(tmp_path).expire_after_days == 90


@pytest.mark.parametrize("seconds", [-1, 0, 86_401, True, 60.5, "60"])
def test_an_interval_that_will_not_do_is_refused(seconds: int) -> None:
    with pytest.raises(UsageError, match="1 to 86,400 seconds"):
        Preferences(sync_interval=seconds)


def test_the_owners_interval_outweighs_the_environments(tmp_path: Path) -> None:
    settings = read_settings({"BUYERBLOCK_DATA_DIR": str(tmp_path), "BUYERBLOCK_SYNC_INTERVAL": "120"})
    assert sync_interval(settings) == 120
    change_preferences(tmp_path, lambda it: replace(it, sync_interval=900))
    assert sync_interval(settings) == 900
    (tmp_path / "preferences.json").write_bytes(b"{")
    assert sync_interval(settings) == 120, "damage must not stop the passes"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b'{"expire_after_days": 3}', b'{"expire_after_days": "90"}', b"\xff"]
)
def test_a_damaged_file_is_neither_believed_nor_overwritten(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match="is damaged"):
        read_preferences(tmp_path)
    with pytest.raises(DamagedFileError, match="is damaged"):
        expire_after(90, tmp_path)
    assert path.read_bytes() == content


def test_names_of_another_version_are_no_damage(tmp_path: Path) -> None:
    (tmp_path / "preferences.json").write_bytes(b'{"expire_after_days": 90, "language": "it"}')
    assert read_preferences(tmp_path).expire_after_days == 90


def test_another_program_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.01)
    with FileLock(tmp_path / "preferences.lock"), pytest.raises(BusyError, match="Another program"):
        expire_after(90, tmp_path)
