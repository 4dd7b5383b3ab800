"""A restore is all or nothing, wherever it is stopped."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from saving import EMAIL, GRANT, NOW, accounts_of, alias, block, damage, keys, opened

from worker.block_list.block_list import BlockList
from worker.database import DATABASE, opening
from worker.database.sqlite import SQLite
from worker.errors import BusyError, DamagedFileError, StorageError
from worker.operation import restore as restoring
from worker.operation.backup import rotate
from worker.operation.restore import finish_restore, latest_copy, restore


def test_what_was_replaced_is_kept(saved: Path, data_dir: Path) -> None:
    block(data_dir, 9)
    replaced = restore(saved, data_dir).replaced

    assert keys(data_dir) == [alias(1)]
    assert keys(replaced) == [alias(1), alias(9)]


def test_a_log_of_the_old_database_is_never_left_beside_the_new_one(
    saved: Path, data_dir: Path, tmp_path: Path
) -> None:
    killed = tmp_path / "killed"
    with opened(data_dir) as database:
        BlockList(database).block([alias(9)], by="test")
        shutil.copytree(data_dir, killed)
    (killed / DATABASE).unlink()
    log = (killed / f"{DATABASE}-wal").read_bytes()
    replaced = restore(saved, killed).replaced

    assert sorted(it.name for it in killed.glob(f"{DATABASE}*")) == [DATABASE]
    assert (replaced / f"{DATABASE}-wal").read_bytes() == log
    assert keys(killed) == [alias(1)]


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_database_that_is_damaged_or_missing_is_refused_until_it_is_restored(
    data_dir: Path, how: str
) -> None:
    rotate(data_dir, now=NOW)
    if how == "damaged":
        damage(data_dir)
    else:
        (data_dir / DATABASE).unlink()
    with pytest.raises(DamagedFileError, match="buyerblock restore --latest"):
        keys(data_dir)

    restore(latest_copy(data_dir), data_dir)
    assert keys(data_dir) == [alias(1)]


def test_nothing_is_replaced_while_a_command_is_at_work(
    saved: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "SQLite", partial(SQLite, patience=0.01))
    with opened(data_dir) as database:
        with pytest.raises(BusyError, match="is at work"):
            restore(saved, data_dir)
        BlockList(database).block([alias(9)], by="test")
    assert keys(data_dir) == [alias(1), alias(9)]
    assert not list(data_dir.glob("restore-*"))


def test_what_the_log_of_a_killed_program_holds_is_kept(saved: Path, data_dir: Path, tmp_path: Path) -> None:
    with opened(data_dir) as database:
        BlockList(database).block([alias(9)], by="test")
        shutil.copytree(data_dir, tmp_path / "killed")
    assert (tmp_path / "killed" / f"{DATABASE}-wal").stat().st_size

    replaced = restore(saved, tmp_path / "killed").replaced
    assert keys(tmp_path / "killed") == [alias(1)]
    assert keys(replaced) == [alias(1), alias(9)]


STEPS = ("replace_file", "sync_directory")


class _Killed(BaseException):
    """What a kill looks like from inside."""


def _kill_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Stop the restore before its step of this number; return the list of steps that it fills."""
    done: list[str] = []

    def counted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object) -> object:
            if len(done) == number:
                raise _Killed
            done.append(name)
            return real(*args)

        return step

    for name in STEPS:
        monkeypatch.setattr(restoring, name, counted(name, getattr(restoring, name)))
    return done


def _killed_at_every_step(saved: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Yield the number of each step of a restore after a kill at it, and last after one that was not killed."""
    for number in range(100):
        with monkeypatch.context() as patch:
            done = _kill_at(patch, number)
            with suppress(_Killed):
                restore(saved, data_dir)
        yield number
        if len(done) < number:
            return


def test_killed_at_any_step_it_is_the_old_state_or_the_new_one(
    saved: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = set()
    for number in _killed_at_every_step(saved, data_dir, monkeypatch):
        interrupted = any(data_dir.glob("restore-*.pending"))
        if interrupted:
            with pytest.raises(StorageError, match="was interrupted"):
                keys(data_dir)
        else:
            assert keys(data_dir) in ([alias(1)], [alias(1), alias(100)])
        finished = finish_restore(data_dir)
        assert finished == interrupted
        outcomes.add((finished, tuple(keys(data_dir))))
        names = {path.name for path in data_dir.iterdir() if path.is_file() and path.suffix != ".lock"}
        assert names == {
            DATABASE,
            "client_secret.json",
            "client_secret_7.example.com.json",
            "secret.key",
        }, f"killed before step {number}"
        with accounts_of(data_dir) as accounts:
            assert accounts.grant(EMAIL) == GRANT
        block(data_dir, 100)  # so that old and new state differ
    assert {finished for finished, _ in outcomes} == {True, False}
    assert all(found == (alias(1),) for finished, found in outcomes if finished)


def test_a_restore_that_was_interrupted_can_be_asked_for_once_more(
    saved: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in _killed_at_every_step(saved, data_dir, monkeypatch):
        assert restore(saved, data_dir).blocks == 1
        assert keys(data_dir) == [alias(1)]
        assert not [it for it in data_dir.iterdir() if it.suffix in (".new", ".pending")]
