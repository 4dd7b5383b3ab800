"""A backup that cannot be trusted is refused, and then nothing has changed."""

import gzip
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from filelock import FileLock
from saving import NOW, PASSPHRASE, content, opened

from worker.database import DATABASE
from worker.errors import BusyError, DamagedFileError, StorageError, UsageError
from worker.operation import backup_file, unpacking
from worker.operation.restore import restore


def _altered(saved: Path, change: Callable[[bytes], bytes]) -> Path:
    saved.write_bytes(change(saved.read_bytes()))
    return saved


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda data: data[:-1], id="cut short"),
        pytest.param(lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], id="a bit flipped"),
        pytest.param(lambda data: b"PK" + data, id="something else"),
        pytest.param(lambda _: b"[]\n", id="other JSON"),
        pytest.param(lambda data: data.replace(b'"created_at":"2', b'"created_at":"x'), id="no time"),
    ],
)
def test_a_damaged_backup_changes_nothing(
    saved: Path, data_dir: Path, change: Callable[[bytes], bytes]
) -> None:
    before = content(data_dir)
    with pytest.raises(DamagedFileError, match="is no backup of buyerblock, or it is damaged"):
        restore(_altered(saved, change), data_dir)
    assert content(data_dir) == before


def test_a_backup_of_a_newer_version_is_refused(saved: Path, data_dir: Path) -> None:
    before = content(data_dir)
    with pytest.raises(StorageError, match="newer version"):
        restore(_altered(saved, lambda data: data.replace(b"backup/2", b"backup/3", 1)), data_dir)
    assert content(data_dir) == before


@pytest.mark.parametrize(
    ("passphrase", "words"), [(None, "give its passphrase"), ("another phrase", "passphrase is wrong")]
)
def test_a_sealed_backup_opens_with_its_passphrase_only(
    sealed: Path, data_dir: Path, passphrase: str | None, words: str
) -> None:
    before = content(data_dir)
    with pytest.raises(UsageError, match=words):
        restore(sealed, data_dir, passphrase)
    assert content(data_dir) == before


@pytest.mark.parametrize("where", [-1, 60])
def test_a_sealed_backup_that_was_changed_anywhere_is_refused(
    sealed: Path, elsewhere: Path, tmp_path: Path, where: int
) -> None:
    data = bytearray(sealed.read_bytes())
    data[where] = data[where] ^ 1 if where < 0 else ord("1") + (data[where] == ord("1"))
    changed = tmp_path / "changed"
    changed.write_bytes(data)
    with pytest.raises((UsageError, DamagedFileError)):
        restore(changed, elsewhere, PASSPHRASE)


def test_a_file_that_asks_for_all_the_memory_is_refused(
    sealed: Path, elsewhere: Path, tmp_path: Path
) -> None:
    greedy = tmp_path / "greedy"
    greedy.write_bytes(sealed.read_bytes().replace(b'"n":131072', b'"n":268435456', 1))
    with pytest.raises(DamagedFileError):
        restore(greedy, elsewhere, PASSPHRASE)


def test_a_passphrase_for_a_file_that_has_none_is_a_warning_sign(saved: Path, elsewhere: Path) -> None:
    with pytest.raises(UsageError, match="not encrypted"):
        restore(saved, elsewhere, PASSPHRASE)


def test_nothing_is_restored_while_a_server_runs(saved: Path, data_dir: Path) -> None:
    before = content(data_dir)
    with (
        FileLock(data_dir / "serve.lock"),
        pytest.raises(BusyError, match=r"is serving .*; stop it first, or restore on its page"),
    ):
        restore(saved, data_dir)
    assert content(data_dir) == before


def _made(path: Path, database: bytes, secrets: object = None, passphrase: str | None = None) -> Path:
    """Write a backup with a right checksum and whatever content."""
    content = orjson.dumps(secrets or {}) + b"\n" + database
    return _packed(path, gzip.compress(content), passphrase)


def _packed(path: Path, content: bytes, passphrase: str | None = None) -> Path:
    backup_file.write(path, BytesIO(content), newest=("", 0), created_at=NOW, passphrase=passphrase)
    return path


def _database(data_dir: Path) -> bytes:
    """Return the database of this folder; it is closed, so its log is in it."""
    return (data_dir / DATABASE).read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../outside",
            "../secret.key",
            "/tmp/secret.key",
            "a/secret.key",
            "a\\secret.key",
            "c:secret.key",
            "",
        ),
        *("client_secret/../x.json", DATABASE, "buyerblock.db-wal", "serve.lock", "accounts.json", ".hidden"),
    ],
)
def test_a_sealed_backup_brings_no_other_file_than_the_secret_ones(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(backup_file._COST, "n", 2)
    saved = _made(tmp_path / "saved", _database(data_dir), {name: "AAAA"}, PASSPHRASE)
    before = content(data_dir)
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(saved, data_dir, PASSPHRASE)
    assert content(data_dir) == before


@pytest.mark.parametrize(
    "secrets", [{"secret.key": "AAAA"}, {"client_secret.json": "AAAA"}, [], 7, {"secret.key": 7}]
)
def test_a_backup_that_anybody_can_change_brings_no_secret_along(
    data_dir: Path, tmp_path: Path, secrets: object
) -> None:
    before = content(data_dir)
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(_made(tmp_path / "saved", _database(data_dir), secrets or [1]), data_dir)
    assert content(data_dir) == before


@pytest.mark.parametrize(
    "content_of",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"SQLite format 3\0" + bytes(4096), id="no database"),
        pytest.param(lambda data: data[: len(data) // 2], id="cut in the middle"),
        pytest.param(lambda data: data.replace(b"CREATE INDEX", b"CREATE INDEy"), id="changed"),
    ],
)
def test_a_database_that_is_not_whole_is_refused(
    data_dir: Path, tmp_path: Path, content_of: Callable[[bytes], bytes]
) -> None:
    data = content_of((data_dir / DATABASE).read_bytes())
    before = content(data_dir)
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(_made(tmp_path / "saved", data), data_dir)
    assert content(data_dir) == before


@pytest.mark.parametrize(
    ("table", "document", "named"),
    [
        ("accounts", {"email": "x"}, "the record x of accounts"),
        ("review", {"state": "waiting"}, "the record x of review"),
        ("blocks", {"address": 7}, "the record x of blocks"),
        ("unblocked", {}, "the record x of unblocked"),
        ("notices", {"block": "x"}, "the record x of notices"),
        ("imports", {}, "the record x of imports"),
        ("tokens", {}, "the record x of tokens"),
        ("preferences", {"sync_interval": "soon"}, "the record preferences of preferences"),
        ("announcements", {"x": 1}, "the record x of announcements"),
    ],
)
def test_every_document_is_read_before_anything_is_replaced(
    data_dir: Path, elsewhere: Path, tmp_path: Path, table: str, document: dict[str, Any], named: str
) -> None:
    with opened(elsewhere) as database:
        key = "preferences" if table == "preferences" else "x"
        database.documents(table).put({key: document})
    before = content(data_dir)
    with pytest.raises(DamagedFileError, match=f"no complete backup: {named}"):
        restore(_made(tmp_path / "saved", _database(elsewhere)), data_dir)
    assert content(data_dir) == before


def test_a_block_under_another_key_than_its_own_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with opened(data_dir) as database:
        blocks = database.documents("blocks")
        blocks.put({"elsewhere": blocks.all()[0]})
    with pytest.raises(DamagedFileError, match="the record elsewhere of blocks"):
        restore(_made(tmp_path / "saved", _database(data_dir)), data_dir)


def test_a_record_that_is_no_object_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data_dir / DATABASE)) as connection:
        connection.execute("UPDATE blocks SET document = '[1]'")
        connection.commit()
    with pytest.raises(DamagedFileError, match=r"the record .* of blocks"):
        restore(_made(tmp_path / "saved", _database(data_dir)), data_dir)


def test_a_backup_cannot_bring_a_trigger_along(data_dir: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data_dir / DATABASE)) as connection:
        connection.execute("CREATE TRIGGER empty AFTER INSERT ON blocks BEGIN DELETE FROM blocks; END")
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(_made(tmp_path / "saved", _database(data_dir)), data_dir)


def test_a_backup_without_a_database_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(_made(tmp_path / "saved", b""), data_dir)


def test_a_small_file_that_would_fill_the_disk_is_refused(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_MIN_LIMIT", 1_000_000)
    written: list[int] = []

    def counted(source: Path, packed: gzip.GzipFile, left: int) -> Iterator[bytes]:
        for piece in pieces(source, packed, left):
            written.append(len(piece))
            yield piece

    pieces = unpacking._chunks
    monkeypatch.setattr(unpacking, "_chunks", counted)
    before = content(data_dir)
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(_made(tmp_path / "saved", _database(data_dir) + bytes(20_000_000)), data_dir)
    assert sum(written) < 8_000_000
    assert content(data_dir) == before


@pytest.mark.parametrize("spoil", [1, 12, 100, 200, -6], ids=str)
def test_content_that_is_no_archive_is_a_damaged_backup(data_dir: Path, tmp_path: Path, spoil: int) -> None:
    whole = _made(tmp_path / "whole", _database(data_dir)).read_bytes().partition(b"\n")[2]
    before = content(data_dir)
    for spoilt in (whole[:spoil], whole[:spoil] + bytes(len(whole[spoil:])), gzip.compress(whole[:spoil])):
        with pytest.raises(DamagedFileError, match="no complete backup"):
            restore(_packed(tmp_path / "saved", spoilt), data_dir)
    assert content(data_dir) == before
