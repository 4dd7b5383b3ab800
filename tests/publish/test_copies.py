"""Copies follow the list within seconds, are whole at every moment, and say what keeps them from being written."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ticking import Seconds

from worker import files
from worker.block_list import BlockList
from worker.database import Database, open_database
from worker.errors import UsageError
from worker.publish import Copies, Copy, Follower, add_copy, copy_path, page_copy_path, write

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)


def alias(number: int) -> str:
    return f"buyer{number:010d}@marketplace.amazon.it"


@pytest.fixture
def copy(copies: Copies, block_list: BlockList, folder: Path) -> Copy:
    """A copy of one buyer, as plain addresses."""
    block_list.block([alias(0)], by="test")
    return add_copy(copies, block_list, Copy(path=str(folder / "list.txt"), format="txt"), now=NOW)


def lines(copy: Copy) -> list[str]:
    return Path(copy.path).read_text(encoding="utf-8").split()


def looks(follower: Follower, seconds: Seconds, times: int = 2) -> int:
    """Let seconds pass, with a look every two of them; return how many copies were written."""
    written = 0
    for _ in range(times):
        seconds.now += 2
        written += follower.look()
    return written


def test_a_copy_is_written_when_it_is_added_and_says_so(copy: Copy, copies: Copies) -> None:
    assert lines(copy) == [alias(0)]
    assert copies.all() == [copy]
    assert (copy.blocks, copy.written_at, copy.problem) == (1, NOW, None)


def test_a_change_is_in_the_copy_within_seconds_and_without_one_nothing_is_written(
    copy: Copy, block_list: BlockList, follower: Follower, seconds: Seconds
) -> None:
    assert looks(follower, seconds, 5) == 0
    block_list.block([alias(1)], by="test")
    assert looks(follower, seconds) == 1
    assert lines(copy) == [alias(0), alias(1)]
    block_list.unblock(alias(0), by="test")
    assert looks(follower, seconds) == 1
    assert lines(copy) == [alias(1)]
    assert looks(follower, seconds, 5) == 0


def test_many_changes_at_once_are_one_write(
    copy: Copy, block_list: BlockList, follower: Follower, seconds: Seconds
) -> None:
    looks(follower, seconds)
    text = "\n".join(map(alias, range(5000))).encode()
    block_list.apply_import(block_list.preview_import(text), by="test")
    written = 0
    for number in range(5000, 5004):
        block_list.block([alias(number)], by="test")
        written += looks(follower, seconds, 1)
    assert written == 0
    assert looks(follower, seconds, 3) == 1
    assert len(lines(copy)) == 5004


def test_a_list_that_never_rests_is_written_all_the_same(
    copy: Copy, block_list: BlockList, follower: Follower, seconds: Seconds
) -> None:
    written = 0
    for number in range(1, 13):
        block_list.block([alias(number)], by="test")
        written += looks(follower, seconds, 1)
    assert written == 2
    assert len(lines(copy)) == 13


@pytest.mark.parametrize("what", ["missing", "older"])
def test_a_file_that_is_missing_or_older_at_the_start_is_written(
    copy: Copy, database: Database, seconds: Seconds, what: str
) -> None:
    path = Path(copy.path)
    if what == "missing":
        path.unlink()
    else:
        path.write_text("of last week", encoding="utf-8")
        os.utime(path, (copy.modified - 9, copy.modified - 9))
    started = Follower(database, now=lambda: NOW, monotonic=seconds)
    assert looks(started, seconds) == 1
    assert lines(copy) == [alias(0)]


def test_what_changed_while_nothing_ran_is_written_at_the_start(
    copy: Copy, block_list: BlockList, follower: Follower, seconds: Seconds
) -> None:
    block_list.block([alias(1)], by="test")
    assert looks(follower, seconds) == 1
    assert lines(copy) == [alias(0), alias(1)]


def test_a_copy_holds_what_its_filters_name(
    block_list: BlockList, copies: Copies, folder: Path, follower: Follower, seconds: Seconds
) -> None:
    place = str(folder / "noted.csv")
    filters = {"q": "by phone", "reason": "manual", "marketplace": "amazon.it"}
    add_copy(copies, block_list, Copy(path=place, format="csv-bom", filters=filters), now=NOW)
    block_list.block([alias(1)], note="by phone", by="test")
    block_list.block([alias(2)], by="test")
    looks(follower, seconds)
    assert copies.all()[0].blocks == 1
    content = Path(place).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert [alias(n).encode() in content for n in (1, 2)] == [True, False]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_new_file_is_for_its_owner_alone_and_one_that_was_there_keeps_its_permissions(
    copy: Copy, block_list: BlockList, follower: Follower, seconds: Seconds
) -> None:
    path = Path(copy.path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    block_list.block([alias(1)], by="test")
    assert looks(follower, seconds) == 1
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "The disk that {} is on is full; free some space, and the copy is written."),
        (errno.ENOENT, "The folder of {} is missing; make it again, or remove this copy."),
        (
            errno.EACCES,
            "buyerblock may not write {}; give it permission to write into that folder, or remove this copy.",
        ),
        (errno.EIO, "{} cannot be written: Input/output error."),
    ],
)
def test_what_keeps_a_copy_from_being_written_is_a_sentence_that_ends_with_its_cause(
    copy: Copy,
    copies: Copies,
    block_list: BlockList,
    follower: Follower,
    seconds: Seconds,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    sentence: str,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    block_list.block([alias(1)], by="test")
    with monkeypatch.context() as patched:
        patched.setattr(files, "sync_file", fail)
        looks(follower, seconds)
        assert str(copies.all()[0].problem) == sentence.format(copy.path)
        assert lines(copy) == [alias(0)], "the old file is whole"
        assert os.listdir(Path(copy.path).parent) == ["list.txt"]  # noqa: PTH208
        assert looks(follower, seconds, 5) == 0, "it is not tried all the time"
    assert looks(follower, seconds, 5) == 1
    assert copies.all()[0].problem is None
    assert lines(copy) == [alias(0), alias(1)]


def test_a_folder_that_went_away_and_came_back_has_the_copy_again(
    copy: Copy, copies: Copies, follower: Follower, seconds: Seconds
) -> None:
    path = Path(copy.path)
    path.unlink()
    path.parent.rmdir()
    looks(follower, seconds, 10)
    assert copies.all()[0].failure == "missing"
    path.parent.mkdir()
    looks(follower, seconds, 10)
    assert (copies.all()[0].problem, lines(copy)) == (None, [alias(0)])


def test_a_copy_that_two_processes_wrote_at_once_is_written_again(
    copy: Copy, copies: Copies, block_list: BlockList, follower: Follower, seconds: Seconds
) -> None:
    write(copies, block_list, replace(copy, version="before"), now=NOW)
    assert copies.all()[0].version == ""
    assert looks(follower, seconds) == 1
    assert looks(follower, seconds) == 0


def test_a_copy_that_cannot_be_written_at_first_is_not_kept(
    copies: Copies, block_list: BlockList, folder: Path
) -> None:
    with pytest.raises(UsageError, match=r"The folder of .* is missing"):
        add_copy(copies, block_list, Copy(path=str(folder / "no" / "list.txt"), format="txt"), now=NOW)
    assert copies.all() == []


def test_temporary_files_of_killed_writes_are_deleted_and_those_of_others_are_not(
    copy: Copy, copies: Copies, block_list: BlockList
) -> None:
    path = Path(copy.path)
    old, new, other = (path.with_name(it) for it in (".list.txt.0a.tmp", ".list.txt.0b.tmp", ".list.tmp"))
    for each in (old, new, other):
        each.touch()
    for each in (old, other):
        os.utime(each, (1, 1))
    write(copies, block_list, copy, now=NOW)
    assert [it.exists() for it in (old, new, other)] == [False, True, True]


def test_no_place_is_taken_twice_nor_within_the_data_folder_nor_for_a_folder(
    copy: Copy, copies: Copies, block_list: BlockList, folder: Path, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    assert copy_path(folder / "other.txt", data_dir) == str(folder / "other.txt")
    with pytest.raises(UsageError, match="is a folder; name a file in it"):
        copy_path(folder, data_dir)
    with pytest.raises(UsageError, match="in the data folder of buyerblock itself"):
        copy_path(data_dir / "sub" / ".." / "secret.key", data_dir)
    with pytest.raises(UsageError, match="no file that can be replaced"):
        copy_path(Path(os.devnull), data_dir)
    (folder / "link.txt").symlink_to(copy.path)
    with pytest.raises(UsageError, match="There is a copy at"):
        add_copy(
            copies, block_list, Copy(path=copy_path(folder / "link.txt", data_dir), format="txt"), now=NOW
        )


@pytest.mark.parametrize(
    "name",
    ["../list.csv", "/etc/passwd", "a/b.csv", "a\\b.csv", ".hidden.csv", "list", "CON.csv", "a.csv:b", "a..csv",
     "list.csv\n", ""],
)  # fmt: skip
def test_the_page_names_files_of_its_own_folder_only(tmp_path: Path, name: str) -> None:
    assert page_copy_path("my list-2.csv", tmp_path) == str(tmp_path / "copies" / "my list-2.csv")
    with pytest.raises(UsageError, match="is no name for a file"):
        page_copy_path(name, tmp_path)


_KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from worker import files
from worker.block_list import BlockList
from worker.database import open_database
from worker.publish import Copies, write, writing

data_dir, step = Path(sys.argv[1]), sys.argv[2]

def die(*_, **__):
    os._exit(9)

def then_die(work):
    def both(*given, **named):
        work(*given, **named)
        die()
    return both

if step == "before the content is on disk":
    files.sync_file = die
elif step == "before the rename":
    files.replace_file = die
elif step == "after the rename":
    files.replace_file = then_die(files.replace_file)
elif step == "before it is stored":
    Copies.update = die
elif step == "after it is stored":
    Copies.update = then_die(Copies.update)
database = open_database(data_dir)
copies = Copies(database)
write(copies, BlockList(database), copies.all()[0], now=datetime(2026, 11, 26, 10, tzinfo=UTC))
"""


@pytest.mark.parametrize(
    "step",
    [
        "before the content is on disk",
        "before the rename",
        "after the rename",
        "before it is stored",
        "after it is stored",
    ],
)
def test_killed_between_any_two_steps_the_file_is_one_whole_state_and_the_next_start_goes_on(
    folder: Path, tmp_path: Path, seconds: Seconds, step: str
) -> None:
    data_dir = tmp_path / "own"
    data_dir.mkdir()
    database = open_database(data_dir)
    block_list = BlockList(database, now=lambda: NOW)
    block_list.block([alias(0)], by="test")
    copy = add_copy(Copies(database), block_list, Copy(path=str(folder / "list.txt"), format="txt"), now=NOW)
    block_list.block(map(alias, range(1, 1000)), by="test")
    database.close()

    ended = subprocess.run([sys.executable, "-c", _KILLED, str(data_dir), step], check=False)
    assert ended.returncode == 9
    assert len(lines(copy)) in (1, 1000)

    again = open_database(data_dir)
    looks(Follower(again, now=lambda: NOW, monotonic=seconds), seconds)
    assert len(lines(copy)) == 1000
    assert Copies(again).all()[0].blocks == 1000
    again.close()


def test_records_hold_what_was_stored(database: Database, copies: Copies) -> None:
    full: dict[str, Any] = {"failure": "full", "why": "No space left on device."}
    copy = Copy(path="/srv/list.csv", format="csv", filters={"q": "x"}, written_at=NOW, modified=1.5, **full)
    copies.add(copy)
    assert Copies(database).all() == [copy]
