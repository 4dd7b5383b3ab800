"""A backup is one whole state, and the copies of the last days are kept."""

import os
import tracemalloc
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from saving import EMAIL, NOW, PASSPHRASE, accounts_of, alias, block, content, damage, database_in, keys

from worker.errors import DamagedFileError, StorageError, UsageError
from worker.operation import backup_file
from worker.operation.backup import backup, rotate
from worker.operation.restore import restore


def test_a_backup_while_others_write_is_a_state_that_was(data_dir: Path, tmp_path: Path) -> None:
    stop = Event()

    def write() -> None:
        with accounts_of(data_dir) as accounts:
            number = 10
            while not stop.is_set():
                block(data_dir, number)
                accounts.update(EMAIL, queued=number)
                number += 1

    writer = Thread(target=write)
    writer.start()
    try:
        for number in range(8):
            backup(data_dir, tmp_path / f"{number}")
    finally:
        stop.set()
        writer.join()
    for number in range(8):
        restore(tmp_path / f"{number}", tmp_path / f"restored {number}")
        found = keys(tmp_path / f"restored {number}")
        assert found == [alias(1), *(alias(it) for it in range(10, 9 + len(found)))]


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_backup_larger_than_the_memory_is_written_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passphrase: str | None
) -> None:
    monkeypatch.setitem(backup_file._COST, "n", 2)
    path, size = tmp_path / "saved", 40_000_000
    with (tmp_path / "packed").open("w+b") as content:
        content.truncate(size)
        tracemalloc.start()
        backup_file.write(path, content, created_at=NOW, newest=("", 0), passphrase=passphrase)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < size / 4
    assert backup_file.read(path, passphrase=passphrase).content == bytes(size)


def test_a_short_passphrase_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 8 characters"):
        backup(data_dir, tmp_path / "saved", "short")
    assert not (tmp_path / "saved").exists()


def test_what_is_not_there_cannot_be_backed_up(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist yet"):
        backup(tmp_path / "missing", tmp_path / "saved")


def test_a_damaged_list_is_not_backed_up_as_if_it_were_whole(data_dir: Path, tmp_path: Path) -> None:
    damage(data_dir)
    with pytest.raises(DamagedFileError):
        backup(data_dir, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


# --- daily copies


def test_a_copy_is_made_once_a_day_and_the_oldest_go(data_dir: Path) -> None:
    made = [rotate(data_dir, keep=3, now=NOW + timedelta(hours=12 * number)) for number in range(10)]

    assert [path is not None for path in made] == [True, False] * 5
    assert sorted(path.name for path in (data_dir / "backups").iterdir()) == [
        "buyerblock-2026-11-25.backup",
        "buyerblock-2026-11-26.backup",
        "buyerblock-2026-11-27.backup",
    ]


def test_copies_hold_no_key_and_no_older_copies_and_restore_in_place(data_dir: Path) -> None:
    copy = rotate(data_dir, now=NOW)
    assert copy is not None
    block(data_dir, 5)
    restore(copy, data_dir)
    assert keys(data_dir) == [alias(1)]
    assert database_in(copy).startswith(b"SQLite format 3\0")


def test_what_a_killed_backup_left_is_deleted_a_day_later(data_dir: Path) -> None:
    for name, age in (("old", timedelta(days=2)), ("under-way", timedelta(hours=1))):
        (data_dir / f".backup-{name}").mkdir()
        os.utime(data_dir / f".backup-{name}", times=((NOW - age).timestamp(),) * 2)
    rotate(data_dir, now=NOW)
    assert [path.name for path in data_dir.glob(".backup-*")] == [".backup-under-way"]


def test_a_clock_set_back_does_not_cost_todays_copy(data_dir: Path) -> None:
    for days in range(3):
        rotate(data_dir, keep=2, now=NOW + timedelta(days=days))
    assert (copy := rotate(data_dir, keep=2, now=NOW - timedelta(days=400))) is not None
    assert copy.exists()


def test_a_copy_that_fails_costs_no_older_one(data_dir: Path) -> None:
    rotate(data_dir, keep=1, now=NOW)
    damage(data_dir)
    with pytest.raises(DamagedFileError):
        rotate(data_dir, keep=1, now=NOW + timedelta(days=1))
    assert [path.name for path in (data_dir / "backups").iterdir()] == ["buyerblock-2026-11-23.backup"]


def test_a_disk_that_takes_nothing_is_a_sentence_and_leaves_nothing(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"Cannot write .*missing.*; name a place in a folder that exists"):
        backup(data_dir, tmp_path / "missing" / "saved")
    (data_dir / "backups").write_bytes(b"a file is in the way")
    before = content(data_dir)
    with pytest.raises(StorageError, match="Cannot make the directory"):
        rotate(data_dir, now=NOW)
    assert content(data_dir) == before
