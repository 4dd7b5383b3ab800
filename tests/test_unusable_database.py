"""Every command with a database that cannot be used: one sentence, exit code 2, and nothing changed."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import click
import pytest

import oauth_web.cli  # noqa: F401 - adds serve
from worker.block_list.block_list import BlockList
from worker.cli.program import commands, run
from worker.clock import SystemClock
from worker.database import DATABASE, open_database, opening
from worker.database.sqlite import SQLite
from worker.operation.backup import rotate

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
OTHER = "w7r2t5y8p1m4d6f@marketplace.amazon.it"

# Each with an alias that is on the list, where it takes one.
COMMANDS: dict[str, tuple[str, ...]] = {
    "accounts": (),
    "audit": (),
    "backup": ("saved",),
    "block": (OTHER,),
    "check": (ALIAS,),
    "disconnect": ("seller@gmail.com",),
    "export": (),
    "gate": ("test",),
    "publish": ("list",),
    "import": ("list.txt",),
    "scan": ("--block", "."),
    "serve": ("--no-open", "--port", "1"),
    "status": (),
    "sync": (),
    "token": ("list",),
    "unblock": (ALIAS,),
    "undo-import": ("1",),
    "webhook": ("show",),
}
# What needs no database, or has one of its own.
_WITHOUT = {"service", "restore", "demo", "host"}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with a buyer on its list, and a copy of today."""
    folder = tmp_path / "data"
    folder.mkdir()
    with closing(open_database(folder)) as database:
        BlockList(database).block([ALIAS], by="test")
    rotate(folder, now=SystemClock().now())
    return folder


@pytest.fixture
def buyerblock(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(data_dir))
    monkeypatch.setenv("BUYERBLOCK_SECRET_KEY", "k" * 32)
    monkeypatch.setattr(opening, "SQLite", partial(SQLite, patience=0.01))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text(OTHER)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["buyerblock", *arguments])
        code = run(commands)
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


def _damage(path: Path) -> None:
    path.write_bytes(b"garbage\n" * 1000)


def _replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARM: dict[str, tuple[Callable[[Path], object], str]] = {
    "damaged": (_damage, "is damaged"),
    "cut short": (lambda path: os.truncate(path, 5000), "is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged"),
    "missing": (Path.unlink, "is missing, although there was one"),
    "unreadable": (_replace_by_folder, "cannot be opened"),
}


@pytest.fixture
def locked(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another process holds the database for itself alone, and the commands do not wait long for it."""
    monkeypatch.setattr(SQLite.__init__, "__kwdefaults__", {"patience": 0.2})
    with closing(sqlite3.connect(data_dir / DATABASE)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("DELETE FROM judged")
        other.commit()
        yield


def test_no_command_was_forgotten() -> None:
    assert isinstance(commands, click.Group)
    assert set(commands.commands) == {*COMMANDS, *_WITHOUT}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("harm", HARM)
def test_a_database_that_cannot_be_used_is_one_sentence(
    buyerblock: Run, data_dir: Path, command: str, harm: str
) -> None:
    ruin, words = HARM[harm]
    ruin(data_dir / DATABASE)
    before = {it.name: it.read_bytes() for it in data_dir.iterdir() if it.is_file()}
    code, out, err = buyerblock(command, *COMMANDS[command])
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    if harm != "unreadable":
        assert err.rstrip().endswith("buyerblock restore --latest")
    after = {it.name: it.read_bytes() for it in data_dir.iterdir() if it.is_file()}
    assert after == before


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_that_another_process_holds_is_one_sentence(buyerblock: Run, command: str) -> None:
    code, out, err = buyerblock(command, *COMMANDS[command])
    assert (code, out) == (2, "")
    assert "for too long; try again" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("harm", HARM)
def test_the_last_daily_copy_brings_the_list_back(buyerblock: Run, data_dir: Path, harm: str) -> None:
    HARM[harm][0](data_dir / DATABASE)
    ruined = harm != "missing" and (data_dir / DATABASE).is_file() and (data_dir / DATABASE).read_bytes()
    code, out, _ = buyerblock("restore", "--latest")
    assert code == 0
    assert "1 blocks" in out
    assert buyerblock("check", ALIAS)[0] == 1
    (replaced,) = data_dir.glob("restore-*.replaced")
    if ruined is not False:
        assert (replaced / DATABASE).read_bytes() == ruined
    assert (replaced / DATABASE).exists() is (harm != "missing")


@pytest.mark.usefixtures("locked")
def test_nothing_is_restored_while_another_process_holds_the_database(
    buyerblock: Run, data_dir: Path
) -> None:
    code, out, _ = buyerblock("restore", "--latest")
    assert (code, out) == (2, "")
    assert not list(data_dir.glob("restore-*"))


def test_a_restore_that_was_interrupted_is_one_sentence_until_it_is_finished(
    buyerblock: Run, data_dir: Path
) -> None:
    (data_dir / "restore-x.pending" / "files").mkdir(parents=True)
    code, out, err = buyerblock("check", ALIAS)
    assert (code, out) == (2, "")
    assert "was interrupted" in err
    assert buyerblock("restore", "--latest")[0] == 0
    assert buyerblock("check", ALIAS)[0] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--latest"),
        (("list.txt", "--latest"), "not both"),
        (("list.txt",), "no backup of buyerblock"),
    ],
)
def test_a_restore_needs_a_file_or_the_latest_copy(
    buyerblock: Run, arguments: tuple[str, ...], words: str
) -> None:
    code, _, err = buyerblock("restore", *arguments)
    assert code == 2
    assert words in err
    assert buyerblock("check", ALIAS)[0] == 1


def test_without_a_daily_copy_there_is_no_latest(buyerblock: Run, data_dir: Path) -> None:
    for copy in (data_dir / "backups").iterdir():
        copy.unlink()
    code, _, err = buyerblock("restore", "--latest")
    assert code == 2
    assert "There is no daily copy" in err
