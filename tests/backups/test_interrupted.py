"""A restore is all or nothing, wherever it is stopped."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from saving import EMAIL, GRANT, accounts_of, alias, damage, keys

from worker.block_list.block_list import BlockList
from worker.block_list.layout import Layout
from worker.errors import DamagedFileError
from worker.operation import restore as restoring
from worker.operation.restore import finish_restore, restore


def test_what_was_replaced_is_kept(saved: Path, data_dir: Path) -> None:
    BlockList(data_dir).block([alias(9)], by="test")
    (data_dir / "later.json").write_bytes(b"{}")
    replaced = restore(saved, data_dir).replaced

    assert keys(data_dir) == [alias(1)]
    assert not (data_dir / "later.json").exists()
    assert (replaced / "later.json").exists()
    assert keys(replaced) == [alias(1), alias(9)]


def test_restoring_ends_the_refusal_of_a_damaged_list(saved: Path, data_dir: Path) -> None:
    damage(data_dir)
    with pytest.raises(DamagedFileError):
        len(BlockList(data_dir))
    assert Layout(data_dir).incomplete.exists()

    restore(saved, data_dir)
    assert keys(data_dir) == [alias(1)]
    assert BlockList(data_dir).problems() == []


STEPS = ("write_atomically", "replace_file", "sync_directory")


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
        if Layout(data_dir).incomplete.exists():
            assert interrupted
            with pytest.raises(DamagedFileError, match="A restore was interrupted"):
                keys(data_dir)
        else:
            assert keys(data_dir) in ([alias(1)], [alias(1), alias(100)])
        finished = finish_restore(data_dir)
        assert finished == interrupted
        outcomes.add((finished, tuple(keys(data_dir))))
        names = {path.name for path in data_dir.glob("*.json")}
        assert names == {
            "accounts.json",
            "blocks.json",
            "client_secret.json",
            "client_secret_7.example.com.json",
            "owners.json",
            "review.json",
        }, f"killed before step {number}"
        assert accounts_of(data_dir).grant(EMAIL) == GRANT
        BlockList(data_dir).block([alias(100)], by="test")  # so that old and new state differ
    assert {finished for finished, _ in outcomes} == {True, False}
    assert all(found == (alias(1),) for finished, found in outcomes if finished)


def test_a_restore_that_was_interrupted_can_be_asked_for_once_more(
    saved: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in _killed_at_every_step(saved, data_dir, monkeypatch):
        assert restore(saved, data_dir).blocks == 1
        assert keys(data_dir) == [alias(1)]
        assert not [it for it in data_dir.iterdir() if it.suffix in (".new", ".pending")]
