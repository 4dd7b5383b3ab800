"""A backup is one whole state, and a restore gives back all of it or changes nothing."""

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from filelock import FileLock

from worker import backup_file
from worker import restore as restoring
from worker.accounts import EVER, Accounts
from worker.backup import backup, rotate
from worker.block_list.block_list import BlockList
from worker.block_list.layout import Layout
from worker.block_list.review import Review, ReviewItem
from worker.errors import BusyError, DamagedFileError, SignInAgainError, StorageError, UsageError
from worker.gmail.credentials import Grant
from worker.restore import finish_restore, restore
from worker.sealing import open_sealer
from worker.tokens import Tokens

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
EMAIL = "seller@gmail.com"
GRANT = Grant("1//refresh-token", "client-id", "client-secret", "https://oauth2.example/token")
PASSPHRASE = "staple of invented words"
EARLIER = Path(__file__).parent / "backups"  # made by earlier versions; never made anew


def alias(number: int) -> str:
    return f"buyer{number:010d}@marketplace.amazon.it"


def accounts_of(data_dir: Path) -> Accounts:
    return Accounts(data_dir, open_sealer(data_dir, None))


def keys(data_dir: Path) -> list[str]:
    return sorted(block.key for block in BlockList(data_dir).blocks())


def content(data_dir: Path) -> dict[str, bytes]:
    """Return every file that is not a lock."""
    files = (path for path in data_dir.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(data_dir).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with something in every file."""
    folder = tmp_path / "data dir"
    folder.mkdir()
    BlockList(folder).block([alias(1), alias(2)], by="test")
    BlockList(folder).unblock(alias(2), by="test")
    accounts_of(folder).connect(EMAIL, GRANT, now=NOW)
    accounts_of(folder).update(EMAIL, last_good_pass=NOW, search_from=None)
    Review(folder).add(
        [ReviewItem(account=EMAIL, gmail_id="1a", message_id="m", received_at=NOW, reason="It is forged.")]
    )
    (folder / "owners.json").write_bytes(b'{"owners": ["seller@gmail.com"]}')
    (folder / "client_secret.json").write_bytes(b'{"installed": {}}')
    (folder / "sessions.sealed").write_bytes(b"sessions")
    (folder / "judged").mkdir()
    (folder / "judged" / "seller.json").write_bytes(b"{}")
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "another machine"


@pytest.fixture
def saved(data_dir: Path, tmp_path: Path) -> Path:
    backup(data_dir, tmp_path / "saved", now=NOW)
    return tmp_path / "saved"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    BlockList(folder / "data").block([alias(7)], by="test")
    accounts_of(folder / "data").connect(EMAIL, GRANT, now=NOW)
    backup(folder / "data", folder / "saved", PASSPHRASE, now=NOW)
    return folder / "saved"


# --- there and back


def test_blocks_unblocked_buyers_review_and_owners_come_back_on_another_machine(
    saved: Path, elsewhere: Path
) -> None:
    result = restore(saved, elsewhere)

    assert (result.created_at, result.blocks, result.accounts) == (NOW, 1, (EMAIL,))
    assert keys(elsewhere) == [alias(1)]
    assert [item.gmail_id for item in Review(elsewhere).items()] == ["1a"]
    assert (elsewhere / "owners.json").read_bytes() == b'{"owners": ["seller@gmail.com"]}'
    trail = b"".join(BlockList(elsewhere).audit())
    assert trail.count(b'"what":"block"') == trail.count(b'"what":"unblock"') == 1


def test_a_restored_list_goes_on_being_written_and_backed_up(
    saved: Path, elsewhere: Path, tmp_path: Path
) -> None:
    restore(saved, elsewhere)
    BlockList(elsewhere).block([alias(3)], by="test")
    backup(elsewhere, tmp_path / "again")
    restore(tmp_path / "again", tmp_path / "third machine")

    assert keys(tmp_path / "third machine") == [alias(1), alias(3)]
    assert b"".join(BlockList(tmp_path / "third machine").audit()).count(b'"what":"block"') == 2


def test_without_a_passphrase_the_backup_holds_no_key_and_accounts_sign_in_again(
    saved: Path, data_dir: Path, elsewhere: Path
) -> None:
    result = restore(saved, elsewhere)

    assert not result.with_key
    assert not (elsewhere / "client_secret.json").exists()
    with pytest.raises(SignInAgainError, match="sign in again"):
        accounts_of(elsewhere).grant(EMAIL)
    assert (data_dir / "secret.key").exists()


def test_restored_where_the_key_still_is_nobody_has_to_sign_in_again(saved: Path, data_dir: Path) -> None:
    restore(saved, data_dir)
    assert accounts_of(data_dir).grant(EMAIL) == GRANT
    assert (data_dir / "client_secret.json").exists()


def test_with_a_passphrase_the_key_comes_along(sealed: Path, elsewhere: Path) -> None:
    assert restore(sealed, elsewhere, PASSPHRASE).with_key
    assert accounts_of(elsewhere).grant(EMAIL) == GRANT
    assert alias(7).encode() not in sealed.read_bytes()


def test_sessions_and_the_ids_of_judged_mail_do_not_survive_a_restore(saved: Path, data_dir: Path) -> None:
    replaced = restore(saved, data_dir).replaced

    assert not (data_dir / "sessions.sealed").exists()
    assert not (data_dir / "judged").exists()
    assert (replaced / "judged" / "seller.json").read_bytes() == b"{}"


def test_a_token_that_was_revoked_since_stays_revoked(
    data_dir: Path, elsewhere: Path, tmp_path: Path
) -> None:
    secret = Tokens(data_dir).create("listmonk", now=NOW)
    backup(data_dir, tmp_path / "saved")
    Tokens(data_dir).revoke("listmonk")

    restore(tmp_path / "saved", data_dir)
    restore(tmp_path / "saved", elsewhere)
    assert Tokens(data_dir).find(secret, now=NOW) is None
    assert Tokens(elsewhere).find(secret, now=NOW) is not None


@pytest.mark.parametrize(
    ("queued", "search_from", "expected"),
    [
        (0, None, NOW - timedelta(hours=1)),
        (0, NOW - timedelta(days=2), NOW - timedelta(days=2)),
        (3, None, EVER),
    ],
)
def test_mail_judged_since_the_backup_is_searched_again(
    data_dir: Path, tmp_path: Path, queued: int, search_from: datetime | None, expected: datetime
) -> None:
    accounts_of(data_dir).update(EMAIL, queued=queued, search_from=search_from)
    backup(data_dir, tmp_path / "saved", now=NOW)
    accounts_of(data_dir).update(EMAIL, queued=0, last_good_pass=NOW + timedelta(days=3), search_from=None)

    restore(tmp_path / "saved", data_dir)
    assert accounts_of(data_dir).get(EMAIL).search_from == expected


@pytest.mark.parametrize(("name", "passphrase"), [("version-1", None), ("version-1-sealed", PASSPHRASE)])
def test_a_backup_of_every_earlier_version_restores(
    name: str, passphrase: str | None, elsewhere: Path
) -> None:
    result = restore(EARLIER / f"{name}.backup", elsewhere, passphrase)
    assert result.accounts == (EMAIL,)
    assert keys(elsewhere) == ["406-0000002-0000002", alias(1)]


def test_a_backup_while_others_write_is_a_state_that_was(data_dir: Path, tmp_path: Path) -> None:
    stop = Event()

    def write() -> None:
        block_list = BlockList(data_dir, compact_at=2000)
        number = 10
        while not stop.is_set():
            block_list.block([alias(number)], by="test")
            accounts_of(data_dir).update(EMAIL, queued=number)
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


# --- what is refused, and then nothing has changed


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
        restore(_altered(saved, lambda data: data.replace(b"backup/1", b"backup/2", 1)), data_dir)
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


def test_a_short_passphrase_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 8 characters"):
        backup(data_dir, tmp_path / "saved", "short")
    assert not (tmp_path / "saved").exists()


def test_nothing_is_restored_while_a_server_runs(saved: Path, data_dir: Path) -> None:
    before = content(data_dir)
    with (
        FileLock(data_dir / "serve.lock"),
        pytest.raises(BusyError, match=r"is serving .*; stop it first, then restore"),
    ):
        restore(saved, data_dir)
    assert content(data_dir) == before


def _made(path: Path, members: Mapping[str, bytes], link: str | None = None) -> Path:
    """Write a backup with a right checksum and whatever content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        if link is not None:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc"
            archive.addfile(member)
    backup_file.write(path, buffer.getvalue(), created_at=NOW, passphrase=None)
    return path


def _members(data_dir: Path) -> dict[str, bytes]:
    block_list = BlockList(data_dir)
    return {"blocks.json": b"".join(block_list.backup()), "audit.ndjson": b"".join(block_list.audit())}


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "a/b", "a\\b", "c:x", ".hidden", "a..b", ""])
def test_a_backup_cannot_write_outside_its_folder(data_dir: Path, tmp_path: Path, name: str) -> None:
    before = content(data_dir)
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(_made(tmp_path / "saved", {**_members(data_dir), name: b"{}"}), data_dir)
    assert content(data_dir) == before


@pytest.mark.parametrize(
    "members",
    [
        {"blocks.json": b""},
        {"audit.ndjson": b""},
        {"blocks.json": b'{"format":"buyerblock-blocks/1"'},
        {"accounts.json": b"{"},
        {"accounts.json": b'{"_default": {"1": {"email": "x"}}}'},
        {"owners.json": b"{"},
        {"review.json": b"[]"},
    ],
    ids=str,
)
def test_every_file_is_read_before_anything_is_replaced(
    data_dir: Path, tmp_path: Path, members: Mapping[str, bytes]
) -> None:
    before = content(data_dir)
    given = {**_members(data_dir), **members}
    if members == {"audit.ndjson": b""}:
        del given["audit.ndjson"]
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(_made(tmp_path / "saved", given), data_dir)
    assert content(data_dir) == before


def test_a_link_in_a_backup_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError, match="no complete backup"):
        restore(_made(tmp_path / "saved", _members(data_dir), link="owners.json"), data_dir)


def test_what_is_not_there_cannot_be_backed_up(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist yet"):
        backup(tmp_path / "missing", tmp_path / "saved")


def test_a_damaged_list_is_not_backed_up_as_if_it_were_whole(data_dir: Path, tmp_path: Path) -> None:
    for path in data_dir.glob("blocks.*.journal"):
        path.write_bytes(b"garbage\n")
    with pytest.raises(DamagedFileError):
        backup(data_dir, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


# --- all or nothing


def test_what_was_replaced_is_kept(saved: Path, data_dir: Path) -> None:
    BlockList(data_dir).block([alias(9)], by="test")
    (data_dir / "later.json").write_bytes(b"{}")
    replaced = restore(saved, data_dir).replaced

    assert keys(data_dir) == [alias(1)]
    assert not (data_dir / "later.json").exists()
    assert (replaced / "later.json").exists()
    assert keys(replaced) == [alias(1), alias(9)]


def test_restoring_ends_the_refusal_of_a_damaged_list(saved: Path, data_dir: Path) -> None:
    for path in data_dir.glob("blocks.*.journal"):
        path.write_bytes(b"garbage\n")
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
    BlockList(data_dir).block([alias(5)], by="test")
    restore(copy, data_dir)
    assert keys(data_dir) == [alias(1)]
    with tarfile.open(fileobj=io.BytesIO(backup_file.read(copy, passphrase=None).content)) as archive:
        assert sorted(archive.getnames()) == [
            "accounts.json",
            "audit.ndjson",
            "blocks.json",
            "owners.json",
            "review.json",
        ]


def test_a_clock_set_back_does_not_cost_todays_copy(data_dir: Path) -> None:
    for days in range(3):
        rotate(data_dir, keep=2, now=NOW + timedelta(days=days))
    assert (copy := rotate(data_dir, keep=2, now=NOW - timedelta(days=400))) is not None
    assert copy.exists()


def test_a_copy_that_fails_costs_no_older_one(data_dir: Path) -> None:
    rotate(data_dir, keep=1, now=NOW)
    for path in data_dir.glob("blocks.*.journal"):
        path.write_bytes(b"garbage\n")
    with pytest.raises(DamagedFileError):
        rotate(data_dir, keep=1, now=NOW + timedelta(days=1))
    assert [path.name for path in (data_dir / "backups").iterdir()] == ["buyerblock-2026-11-23.backup"]
