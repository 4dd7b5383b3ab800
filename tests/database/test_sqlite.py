"""The database in one file: threads, processes, damage, a disk that fails."""

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from worker.block_list.block_list import BlockList
from worker.database import Database, exists, file_state, open_database
from worker.database.sqlite import SQLite
from worker.database.sqlite_file import create, rename_lineage
from worker.errors import BusyError, DamagedFileError, StorageError
from worker.operation.backup import rotate
from worker.operation.restore import latest_copy, restore

NAME = "buyerblock.db"
RESTORE = "buyerblock restore --latest"


def run_python(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that may import worker, and whose output can be read."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def saved(folder: Path, *, count: int = 0) -> Path:
    """Make a database with a block "a", and others, and return its file, closed."""
    with open_database(folder) as database:
        documents = {
            f"k{number:05}": {"first_seen": str(number), "note": "x" * 50} for number in range(count)
        }
        database.documents("blocks").put({"a": {"x": 1}, **documents})
    return folder / NAME


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(it.relative_to(folder)): it.read_bytes() for it in folder.rglob("*") if it.is_file()}


# Threads and processes


def test_threads_share_a_database(database: Database) -> None:
    counts = database.documents("counts")
    counts.put({"blocks": {"n": 0}})

    def add() -> None:
        for _ in range(25):
            with database.together():
                (found,) = counts.find_many(["blocks"]).values()
                counts.put({"blocks": {"n": found["n"] + 1}})

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts.find("blocks") == {"n": 200}


WRITE = """
import sys, threading, time
from pathlib import Path
from worker.database import open_database

folder, name = sys.argv[1:]
database = open_database(Path(folder))
counts, blocks = database.documents("counts"), database.documents("blocks")
waits, errors = [], []

def write(thread):
    try:
        for number in range(40):
            began = time.monotonic()
            with database.together():
                waits.append(time.monotonic() - began)
                before = counts.find("blocks") or {"n": 0}
                blocks.put({f"{name}-{thread}-{number}": {"first_seen": "x"}})
                counts.put({"blocks": {"n": before["n"] + 1}})
    except BaseException as error:
        errors.append(repr(error))

threads = [threading.Thread(target=write, args=[number]) for number in range(8)]
input()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
database.close()
print(max(waits), *errors)
"""


def test_two_processes_with_eight_threads_each_lose_nothing_and_wait_in_vain_for_nothing(
    tmp_path: Path,
) -> None:
    processes = [run_python(WRITE, tmp_path, name) for name in ("one", "two")]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.close()
    for process in processes:
        assert process.stdout
        _longest, *errors = process.stdout.read().split(maxsplit=1)
        process.stdout.close()
        assert (process.wait(), errors) == (0, [])
    with open_database(tmp_path) as database:
        assert database.documents("counts").find("blocks") == {"n": 640}
        assert len(database.documents("blocks")) == 640


OPEN = """
import sys
from pathlib import Path
from worker.database import open_database

input()
database = open_database(Path(sys.argv[1]))
database.documents("blocks").put({sys.argv[2]: {}})
database.close()
"""


@pytest.mark.parametrize("there", [False, True], ids=["new", "restored"])
def test_processes_that_open_at_once_use_the_same_file(tmp_path: Path, there: bool) -> None:
    if there:  # a backup is not in write-ahead mode; the first who opens it changes that
        create(tmp_path / NAME)
    processes = [run_python(OPEN, tmp_path, number) for number in range(6)]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.close()
    for process in processes:
        assert process.stdout
        process.stdout.close()
        assert process.wait() == 0
    with open_database(tmp_path) as database:
        assert {it.doc_id for it in database.documents("blocks")} == {str(number) for number in range(6)}
    assert [it.name for it in tmp_path.iterdir()] == [NAME]


def test_who_opens_a_restored_file_while_another_writes_to_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / NAME
    create(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("worker.database.sqlite.time.sleep", lambda _seconds: other.execute("ROLLBACK"))
        with open_database(tmp_path) as database:
            assert len(database.documents("blocks")) == 0


def test_who_waits_too_long_for_another_process_is_told_so(tmp_path: Path) -> None:
    path = saved(tmp_path)
    database = Database(SQLite(path, patience=0.05))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert database.documents("blocks").find("a") == {"x": 1}  # readers do not wait
        with pytest.raises(BusyError, match="try again"):
            database.documents("blocks").put({"b": {}})
        other.execute("ROLLBACK")
    database.documents("blocks").put({"b": {}})
    database.close()


def test_who_waits_too_long_for_another_thread_is_told_so(tmp_path: Path) -> None:
    database = Database(SQLite(saved(tmp_path), patience=0.05))
    errors: list[Exception] = []

    def write() -> None:
        try:
            database.documents("blocks").put({"b": {}})
        except BusyError as error:
            errors.append(error)

    thread = threading.Thread(target=write)
    with database.together():
        thread.start()
        thread.join()
    assert len(errors) == 1
    database.close()


def test_a_thread_that_ends_leaves_its_connection_to_others(database: Database, tmp_path: Path) -> None:
    for number in range(50):
        thread = threading.Thread(target=lambda it=number: database.documents("blocks").put({str(it): {}}))
        thread.start()
        thread.join()
    files = [it for it in Path("/proc/self/fd").glob("*") if it.exists()]
    opened = [it for it in files if it.resolve() == tmp_path / NAME]
    assert len(opened) <= 2


def test_closing_while_a_walk_goes_on_closes_its_connection_at_its_end(tmp_path: Path) -> None:
    saved(tmp_path, count=10)
    database = open_database(tmp_path)
    walk = database.documents("blocks").walk()
    next(walk)
    database.close()
    assert len(list(walk)) == 10
    assert [it.name for it in tmp_path.iterdir()] == [NAME]  # the last connection takes the log with it


def test_a_log_that_has_grown_is_emptied_when_no_old_state_is_read_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.database.sqlite._MAX_WAL_SIZE", 2**20)
    monkeypatch.setattr("worker.database.sqlite._READERS_TIMEOUT", 0.01)
    saved(tmp_path, count=10)
    log = tmp_path / f"{NAME}-wal"
    with open_database(tmp_path) as database:
        blocks = database.documents("blocks")
        walk = blocks.walk()
        next(walk)
        blocks.put({f"k{number}": {"note": "x" * 100_000} for number in range(20)})
        assert log.stat().st_size > 2**20
        assert len(list(walk)) == 10
        blocks.put({"b": {}})
        assert log.stat().st_size == 0
        assert len(blocks) == 32


@pytest.mark.skipif(os.name != "posix", reason="Modes are a thing of POSIX systems.")
def test_all_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        database.documents("blocks").put({"a": {}})
        database.backup(tmp_path / "copy.db")
        modes = {it.name: stat.S_IMODE(it.stat().st_mode) for it in tmp_path.iterdir()}
    assert modes == dict.fromkeys([NAME, f"{NAME}-wal", f"{NAME}-shm", "copy.db"], 0o600)


@pytest.mark.parametrize("name", ["with space", "100% #1?", "Zoë", "a'b\"c"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    if os.name == "nt" and set(name) & set('?"'):
        pytest.skip("Windows has no such names.")
    (tmp_path / name).mkdir()
    saved(tmp_path / name)
    with open_database(tmp_path / name) as database:
        assert database.documents("blocks").find("a") == {"x": 1}


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(saved(tmp_path).parent)
    with open_database(Path()) as database:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir("elsewhere")
        walk = database.documents("blocks").walk()
        next(walk)
        assert database.documents("blocks").find("a") == {"x": 1}


# First use, and what stands in its way


def test_an_empty_folder_gets_a_database_and_nothing_else(tmp_path: Path) -> None:
    assert not exists(tmp_path)
    open_database(tmp_path).close()
    assert exists(tmp_path)
    assert [it.name for it in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("link", ["links", "no links"])
def test_a_database_that_another_process_has_just_made_is_left_alone(
    tmp_path: Path, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if link == "no links":
        monkeypatch.delattr(os, "link")
        monkeypatch.setattr(
            os, "link", lambda *_: (_ for _ in ()).throw(PermissionError("no links here")), raising=False
        )
    path = tmp_path / NAME
    create(path)
    before = snapshot(tmp_path)
    create(path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("sign", ["secret.key", "backups/"])
def test_a_file_that_is_missing_although_there_was_one_is_no_first_use(tmp_path: Path, sign: str) -> None:
    (tmp_path / sign).mkdir() if sign.endswith("/") else (tmp_path / sign).touch()
    assert exists(tmp_path)
    with pytest.raises(DamagedFileError, match=f"is missing.*{RESTORE}"):
        open_database(tmp_path)
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("name", ["blocks.json", "blocks.0.journal", "accounts.json"])
def test_files_of_version_0_1_are_refused_untouched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    (tmp_path / "secret.key").write_text("k")
    before = snapshot(tmp_path)
    assert exists(tmp_path)
    with pytest.raises(StorageError, match=r"files of buyerblock 0\.1.*import blocks\.json") as caught:
        open_database(tmp_path)
    assert type(caught.value) is StorageError
    assert snapshot(tmp_path) == before


def test_a_folder_that_is_not_there_gets_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot"):
        open_database(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_looked_into_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    for look in (exists, open_database):
        with pytest.raises(StorageError, match="check the permissions"):
            look(tmp_path / "circle")


@pytest.fixture
def looking_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test does in no time what takes a person some."""
    monkeypatch.setattr(file_state, "_LOOK_EVERY", 0)


@pytest.mark.usefixtures("looking_always")
def test_a_database_that_vanishes_while_in_use_does_not_come_back_empty(tmp_path: Path) -> None:
    saved(tmp_path)
    with open_database(tmp_path) as database:
        walk = database.documents("blocks").walk()  # keeps the only connection
        next(walk)
        for file in tmp_path.iterdir():
            file.unlink()
        with pytest.raises(StorageError, match="is missing, although there was one"):
            database.documents("blocks").find("a")
        assert list(tmp_path.iterdir()) == []
        walk.close()


# Damage


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def in_its_place_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def other_database(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (lineage TEXT)")
        connection.commit()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "a few bytes": lambda path: os.truncate(path, 50),
    "cut in the first page": lambda path: os.truncate(path, 1000),
    "cut in the middle": lambda path: os.truncate(path, path.stat().st_size // 2),
    "without its last page": lambda path: os.truncate(path, path.stat().st_size - 4096),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "no database": lambda path: path.write_text("A letter to a friend.\n" * 1000),
    "another database": other_database,
    "without its header": lambda path: overwrite(path, 0, bytes(100)),
    "without its tables": lambda path: overwrite(path, 100, b"\xff" * 3996),
    "a folder": in_its_place_a_folder,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_refused_and_nothing_is_changed(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path, count=200)
    DAMAGE[kind](path)
    before = snapshot(tmp_path)
    expected = StorageError if kind == "a folder" else DamagedFileError
    with pytest.raises(expected, match="cannot be opened" if kind == "a folder" else RESTORE):
        open_database(tmp_path)
    assert snapshot(tmp_path) == before


def test_the_file_of_a_newer_version_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    path = saved(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = snapshot(tmp_path)
    with pytest.raises(StorageError, match="newer version") as caught:
        open_database(tmp_path)
    assert type(caught.value) is StorageError
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("seed", range(12))
def test_garbage_in_the_middle_is_found_by_a_check_and_never_answers_wrong(tmp_path: Path, seed: int) -> None:
    path = saved(tmp_path, count=300)
    expected = {f"k{number:05}": {"first_seen": str(number), "note": "x" * 50} for number in range(300)}
    chance = random.Random(seed)
    page = chance.randrange(1, path.stat().st_size // 4096)
    overwrite(path, page * 4096, chance.randbytes(4096) if seed % 2 else bytes(4096))
    with pytest.raises(DamagedFileError, match=RESTORE), open_database(tmp_path) as database:  # noqa: PT012
        for key, document in expected.items():
            with suppress(DamagedFileError):
                assert database.documents("blocks").find(key) == document
        with suppress(DamagedFileError):
            assert [it.doc_id for it in database.documents("blocks").walk()] == ["a", *expected]
        database.engine.check()


@pytest.mark.parametrize("text", ["{", '{"x": "\udcff"}', ""])
def test_a_document_that_is_no_json_is_damage(tmp_path: Path, text: str) -> None:
    path = saved(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO orders (key, document) VALUES ('o', CAST(? AS TEXT))",
            (text.encode(errors="surrogateescape"),),
        )
    with open_database(tmp_path) as database:
        orders = database.documents("orders")
        looks: list[Callable[[], object]] = [
            lambda: orders.find("o"),
            lambda: orders.find_many(["o", "p"]),
            lambda: list(orders),
            lambda: orders.page("key", limit=1),
        ]
        for look in looks:
            with pytest.raises(DamagedFileError, match=RESTORE):
                look()


# A disk that fails


# A file that may not grow is a disk without room: an error in the middle of a write.
LIMIT = """
import resource, sys
from pathlib import Path
from worker.database import open_database
from worker.errors import StorageError

database = open_database(Path(sys.argv[1]))
blocks = database.documents("blocks")
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
"""
Connect = Callable[..., sqlite3.Connection]


def changed_connect(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Connect, str], sqlite3.Connection]
) -> None:
    """Open files in another way. Permissions do not hold back root, who runs some tests."""
    connect = sqlite3.connect

    def changed(path: Path | str, **how: object) -> sqlite3.Connection:
        return change(lambda path: connect(path, **how), str(path))  # type: ignore[call-overload]

    monkeypatch.setattr(sqlite3, "connect", changed)


def test_a_full_disk_is_one_sentence_and_nothing_is_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = saved(tmp_path).stat().st_size // 4096

    def small(connect: Connect, path: str) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        return connection

    changed_connect(monkeypatch, small)
    database = open_database(tmp_path)
    many = {f"o{number}": {"x": "y" * 1000} for number in range(1000)}
    with pytest.raises(StorageError, match=r"disk is full; free some space"), database.together():  # noqa: PT012
        database.documents("blocks").put({"b": {}})
        database.documents("orders").put(many)
    assert database.tables() == {"blocks"}
    assert list(database.documents("blocks")) == [{"x": 1}]
    database.documents("blocks").put({"b": {}})
    database.close()


def test_a_transaction_that_goes_on_after_the_disk_was_full_stores_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    blocks = database.documents("blocks")
    blocks.put({"a": {}})
    script = (
        LIMIT
        + """
try:
    with database.together():
        blocks.put({"first": {}})
        try:
            blocks.put({f"k{number}": {"x": "y" * 1000} for number in range(10_000)})
        except StorageError as error:
            print(error)
        blocks.put({"last": {}})
except StorageError as error:
    print(error)
print(sorted(it.doc_id for it in blocks))
blocks.put({"b": {}})
database.close()
"""
    )
    pytest.importorskip("resource")
    process = run_python(script, tmp_path)
    output, _ = process.communicate()
    assert process.returncode == 0
    first, *_, last = output.splitlines()
    assert "The disk failed" in first or "The disk is full" in first
    assert last == "['a']"
    assert sorted(str(it.doc_id) for it in blocks) == ["a", "b"]
    database.close()


def test_a_file_that_may_not_be_written_to_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path)
    kept_open = open_database(tmp_path)  # keeps the log, which a reader could not make
    changed_connect(monkeypatch, lambda connect, path: connect(path.replace("mode=rw", "mode=ro")))
    with open_database(tmp_path) as database:
        assert database.documents("blocks").find("a") == {"x": 1}
        with pytest.raises(StorageError, match="may not be written to; check its permissions"):
            database.documents("blocks").put({"b": {}})
        assert len(database.documents("blocks")) == 1
    kept_open.close()


def test_a_folder_in_which_the_log_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    saved(tmp_path)
    (tmp_path / f"{NAME}-wal").mkdir()
    with pytest.raises(StorageError, match="check the permissions of its folder"):
        open_database(tmp_path)


def test_a_database_that_cannot_be_made_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.database.sqlite_file.sync_directory", refuse)
    monkeypatch.setattr("worker.database.sqlite_file.os.link", refuse)
    monkeypatch.setattr("worker.database.sqlite_file.replace_file", refuse)
    with pytest.raises(StorageError, match="No space left on device; free some space"):
        open_database(tmp_path)
    assert list(tmp_path.iterdir()) == []


# Backups


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "source").mkdir()
    saved(tmp_path / "source", count=300)
    with open_database(tmp_path / "source") as database:
        yield database


def test_a_backup_is_one_file_that_opens_where_nothing_may_be_written(
    tmp_path: Path, source: Database
) -> None:
    source.backup(tmp_path / "copy.db")
    assert sorted(it.name for it in tmp_path.iterdir()) == ["copy.db", "source"]
    with closing(sqlite3.connect(f"{(tmp_path / 'copy.db').as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
        assert copy.execute("SELECT count(*) FROM blocks").fetchone() == (301,)


def test_a_backup_replaces_no_file(tmp_path: Path, source: Database) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(StorageError, match=r"copy\.db: File exists"):
        source.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_backup_into_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path, source: Database) -> None:
    with pytest.raises(StorageError, match="name a place in a folder that exists"):
        source.backup(tmp_path / "missing" / "copy.db")


def test_a_backup_for_which_there_is_no_room_leaves_nothing(tmp_path: Path, source: Database) -> None:
    pytest.importorskip("resource")
    script = (
        LIMIT
        + """
try:
    database.backup(Path(sys.argv[2]))
except StorageError as error:
    print(error)
"""
    )
    process = run_python(script, tmp_path / "source", tmp_path / "copy.db")
    output, _ = process.communicate()
    assert output.startswith(f"Cannot write {tmp_path / 'copy.db'}: ")
    assert [it.name for it in tmp_path.iterdir()] == ["source"]
    assert len(source) == 301


def test_a_backup_of_a_damaged_file_says_which_file_is_damaged(tmp_path: Path, source: Database) -> None:
    source.close()
    path = tmp_path / "source" / NAME
    os.truncate(path, path.stat().st_size - 4096)
    with pytest.raises(DamagedFileError, match=f"source.*{RESTORE}"):
        source.backup(tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


def test_a_copy_can_be_given_a_name_of_its_own(tmp_path: Path, source: Database) -> None:
    source.backup(tmp_path / "copy.db")
    rename_lineage(tmp_path / "copy.db")
    with Database(SQLite(tmp_path / "copy.db")) as copy:
        assert copy.version() != source.version()
        assert len(copy) == len(source)


def test_a_restored_file_is_used_like_any_other(tmp_path: Path, source: Database) -> None:
    source.backup(tmp_path / "copy.db")
    (tmp_path / "other").mkdir()
    shutil.copy(tmp_path / "copy.db", tmp_path / "other" / NAME)
    with open_database(tmp_path / "other") as database:
        database.documents("blocks").put({"b": {}})
        assert len(database) == 302


# A check, and the end of a database that is to be replaced


def test_after_a_check_that_failed_nothing_is_answered(tmp_path: Path) -> None:
    saved(tmp_path, count=300)
    with open_database(tmp_path) as database:
        blocks = database.documents("blocks")
        with closing(sqlite3.connect(tmp_path / NAME)) as other:
            other.execute("PRAGMA writable_schema = ON")
            other.execute("DELETE FROM sqlite_schema WHERE name = 'notices'")
            other.commit()
        assert blocks.find("a") is not None
        with pytest.raises(DamagedFileError, match=RESTORE):
            database.engine.check()
        with pytest.raises(DamagedFileError, match=RESTORE):
            blocks.find("a")


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER empty AFTER INSERT ON blocks BEGIN DELETE FROM blocks; END",
        "DROP TABLE notices",
        "DROP INDEX blocks_notices_key_kind",
        "CREATE VIEW more AS SELECT * FROM blocks",
    ],
)
def test_a_check_finds_tables_that_are_not_ours(tmp_path: Path, change: str) -> None:
    with closing(sqlite3.connect(saved(tmp_path))) as other:
        other.execute(change)
    with open_database(tmp_path) as database, pytest.raises(DamagedFileError, match="tables are not those"):
        database.engine.check()


def test_a_database_that_is_left_is_one_file_with_everything(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    database.documents("blocks").put({"a": {"x": 1}})
    engine = SQLite(tmp_path / NAME, patience=0.01)
    with pytest.raises(BusyError, match="Another program"):
        engine.close_exclusively()
    database.close()
    engine.close_exclusively()
    assert [it.name for it in tmp_path.iterdir()] == [NAME]
    with open_database(tmp_path) as again:
        assert again.documents("blocks").find("a") == {"x": 1}


def _copied_over(old: Path, path: Path) -> None:
    path.write_bytes(old.read_bytes())


def _renamed_over(old: Path, path: Path) -> None:
    old.replace(path)


def _cut(old: Path, path: Path) -> None:
    os.truncate(path, old.stat().st_size // 2)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody replace a file that is open.")
@pytest.mark.usefixtures("looking_always")
@pytest.mark.parametrize("replace", [_copied_over, _renamed_over, _cut])
def test_an_older_file_in_place_of_the_one_in_use_is_damage(
    tmp_path: Path, replace: Callable[[Path, Path], None]
) -> None:
    path, old = tmp_path / NAME, tmp_path / "old"
    with closing(open_database(tmp_path)) as database:
        BlockList(database).block(["111-1111111-1111111"], by="test")
    old.write_bytes(path.read_bytes())
    with closing(open_database(tmp_path)) as database:
        blocks = BlockList(database)
        blocks.block(["222-2222222-2222222"], by="test")
        database.engine.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        replace(old, path)
        for _ in range(2):
            with pytest.raises(DamagedFileError, match="restore --latest"):
                blocks.check(["222-2222222-2222222"])
            with pytest.raises(DamagedFileError):
                blocks.block(["333-3333333-3333333"], by="test")


def test_a_file_that_is_older_than_a_daily_copy_of_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with closing(open_database(tmp_path)) as database:
        BlockList(database).block(["111-1111111-1111111"], by="test")
    old = path.read_bytes()
    with closing(open_database(tmp_path)) as database:
        BlockList(database).block(["222-2222222-2222222"], by="test")
    rotate(tmp_path, now=datetime(2026, 11, 23, tzinfo=UTC))
    open_database(tmp_path).close()
    path.write_bytes(old)
    with pytest.raises(DamagedFileError, match="older than a daily copy"):
        open_database(tmp_path)
    assert path.read_bytes() == old
    restore(latest_copy(tmp_path), tmp_path)
    with closing(open_database(tmp_path)) as database:
        assert len(BlockList(database)) == 2


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"lineage": 5, "newest": "x"}', b"x" * 10_000])
def test_a_copy_whose_first_line_tells_nothing_keeps_nobody_from_the_list(
    tmp_path: Path, line: bytes
) -> None:
    open_database(tmp_path).close()
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / "buyerblock-2026-11-23.backup").write_bytes(line)
    open_database(tmp_path).close()


def test_a_log_without_its_database_is_no_empty_list(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}-wal").touch()
    with pytest.raises(DamagedFileError, match="is missing, although there was one"):
        open_database(tmp_path)


def test_threads_that_look_while_another_one_writes_see_no_damage(tmp_path: Path) -> None:
    with closing(open_database(tmp_path)) as database, ThreadPoolExecutor(4) as pool:
        blocks = BlockList(database)
        looks = [pool.submit(lambda: [database.version() for _ in range(300)]) for _ in range(3)]
        for number in range(100):
            blocks.block([f"111-1111111-{number:07}"], by="test")
            database.engine.rows("PRAGMA wal_checkpoint(PASSIVE)")
        for look in looks:
            look.result()
