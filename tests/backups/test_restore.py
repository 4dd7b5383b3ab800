"""What a restore brings back, on the same machine and on another."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from every_table import BACKUPS, check, check_sealed
from saving import EMAIL, GRANT, NOW, PASSPHRASE, accounts_of, alias, block, database_in, keys, opened

from oauth_web.access.owners import Owners
from worker.block_list.review import Review
from worker.database import DATABASE
from worker.errors import SignInAgainError, StorageError, UsageError
from worker.operation import backup_file
from worker.operation.alerts import LOOKS, Alerts
from worker.operation.backup import backup, rotate
from worker.operation.health import Problem
from worker.operation.restore import latest_copy, restore
from worker.owner.accounts import BEGINNING
from worker.owner.tokens import Tokens
from worker.publish import Copies, Copy
from worker.sealing import open_sealer
from worker.webhook import Announcements, Message

# Of this version and earlier ones, sealed ones apart; those of version 0.1 are refused.
OPEN = sorted(path for path in BACKUPS.glob("version-*[0-9].backup") if path.name != "version-1.backup")
SEALED = sorted(
    path for path in BACKUPS.glob("version-*-sealed.backup") if path.name != "version-1-sealed.backup"
)


def test_blocks_unblocked_buyers_review_and_owners_come_back_on_another_machine(
    saved: Path, elsewhere: Path
) -> None:
    result = restore(saved, elsewhere)

    assert (result.created_at, result.blocks, result.accounts) == (NOW, 1, (EMAIL,))
    assert keys(elsewhere) == [alias(1)]
    with opened(elsewhere) as database:
        assert [item.gmail_id for item in Review(database).items()] == ["1a"]
        assert Owners(database).emails() == {EMAIL}
        assert [event.what for event in database.events()] == ["block", "unblock"]


def test_a_restored_list_goes_on_being_written_and_backed_up(
    saved: Path, elsewhere: Path, tmp_path: Path
) -> None:
    restore(saved, elsewhere)
    block(elsewhere, 3)
    backup(elsewhere, tmp_path / "again")
    restore(tmp_path / "again", tmp_path / "third machine")

    assert keys(tmp_path / "third machine") == [alias(1), alias(3)]
    with opened(tmp_path / "third machine") as database:
        assert [event.what for event in database.events()] == ["block", "unblock", "block"]


def test_without_a_passphrase_the_backup_holds_no_key_and_accounts_sign_in_again(
    saved: Path, data_dir: Path, elsewhere: Path
) -> None:
    result = restore(saved, elsewhere)

    assert not result.with_key
    assert not list(elsewhere.glob("client_secret*"))
    with accounts_of(elsewhere) as accounts, pytest.raises(SignInAgainError, match="sign in again"):
        accounts.grant(EMAIL)
    assert (data_dir / "secret.key").exists()


def test_restored_where_the_key_still_is_nobody_has_to_sign_in_again(saved: Path, data_dir: Path) -> None:
    restore(saved, data_dir)
    with accounts_of(data_dir) as accounts:
        assert accounts.grant(EMAIL) == GRANT
    assert (data_dir / "client_secret.json").exists()


def test_with_a_passphrase_the_key_comes_along(sealed: Path, elsewhere: Path) -> None:
    assert restore(sealed, elsewhere, PASSPHRASE).with_key
    with accounts_of(elsewhere) as accounts:
        assert accounts.grant(EMAIL) == GRANT
    assert alias(7).encode() not in sealed.read_bytes()


def test_no_session_is_in_a_backup_or_survives_a_restore(saved: Path, data_dir: Path, tmp_path: Path) -> None:
    with opened(data_dir) as database:
        database.documents("sessions").put({"long": {"sealed": "a-session" * 9999}})
        database.documents("sessions").delete(["long"])
        backup(data_dir, saved, database=database)
    (tmp_path / "unpacked").write_bytes(database_in(saved))
    assert b"a-session" not in (tmp_path / "unpacked").read_bytes()
    with closing(sqlite3.connect(tmp_path / "unpacked")) as copy:
        assert copy.execute("PRAGMA freelist_count").fetchone() == (0,), "no page may hold what was deleted"

    restore(saved, data_dir)
    with opened(data_dir) as database:
        assert not database.documents("sessions").all()


def test_a_token_that_was_revoked_since_stays_revoked(
    data_dir: Path, elsewhere: Path, tmp_path: Path
) -> None:
    with opened(data_dir) as database:
        secret = Tokens(database).create("listmonk", now=NOW)
        backup(data_dir, tmp_path / "saved", database=database)
        Tokens(database).revoke("listmonk")

    restore(tmp_path / "saved", data_dir)
    restore(tmp_path / "saved", elsewhere)
    for folder, is_there in ((data_dir, False), (elsewhere, True)):
        with opened(folder) as database:
            assert (Tokens(database).find(secret, now=NOW) is not None) is is_there


def test_no_copy_of_the_list_comes_out_of_a_backup_and_those_of_now_stay(
    data_dir: Path, elsewhere: Path, tmp_path: Path
) -> None:
    """One that was made up could name any file of the machine."""
    with opened(data_dir) as database:
        Copies(database).add(Copy(path="/srv/then.csv", format="csv"))
        backup(data_dir, tmp_path / "saved", database=database)
        Copies(database).remove("/srv/then.csv")
        Copies(database).add(Copy(path="/srv/now.csv", format="csv"))

    restore(tmp_path / "saved", data_dir)
    restore(tmp_path / "saved", elsewhere)
    for folder, paths in ((data_dir, ["/srv/now.csv"]), (elsewhere, [])):
        with opened(folder) as database:
            assert [it.path for it in Copies(database).all()] == paths


def test_whoever_owns_the_page_goes_on_owning_it(saved: Path, data_dir: Path) -> None:
    with opened(data_dir) as database:
        database.documents("owners").truncate()
        Owners(database).claim("another@gmail.com")
    restore(saved, data_dir)
    with opened(data_dir) as database:
        assert Owners(database).emails() == {"another@gmail.com"}


def test_a_restored_list_has_another_name_for_its_versions(saved: Path, data_dir: Path) -> None:
    with opened(data_dir) as database:
        before = database.version()
    restore(saved, data_dir)
    with opened(data_dir) as database:
        assert database.version().partition("-")[0] != before.partition("-")[0]


@pytest.mark.parametrize(
    ("queued", "search_from", "expected"),
    [
        (0, None, NOW - timedelta(hours=1)),
        (0, NOW - timedelta(days=2), NOW - timedelta(days=2)),
        (3, None, BEGINNING),
    ],
)
def test_mail_judged_since_the_backup_is_searched_again(
    data_dir: Path, tmp_path: Path, queued: int, search_from: datetime | None, expected: datetime
) -> None:
    with accounts_of(data_dir) as accounts:
        accounts.update(EMAIL, queued=queued, search_from=search_from)
        backup(data_dir, tmp_path / "saved", now=NOW)
        accounts.update(EMAIL, queued=0, last_good_pass=NOW + timedelta(days=3), search_from=None)

    restore(tmp_path / "saved", data_dir)
    with accounts_of(data_dir) as accounts:
        assert accounts.get(EMAIL).search_from == expected


@pytest.mark.parametrize("name", ["version-1", "version-1-sealed"])
def test_a_backup_of_version_0_1_is_refused_with_what_to_do(name: str, elsewhere: Path) -> None:
    with pytest.raises(StorageError, match=r"made by buyerblock 0\.1.*import that file here"):
        restore(BACKUPS / f"{name}.backup", elsewhere, PASSPHRASE)
    assert not (elsewhere / DATABASE).exists()


@pytest.mark.parametrize("path", OPEN, ids=lambda path: path.stem)
def test_a_backup_of_every_version_is_restored_with_all_its_tables(path: Path, elsewhere: Path) -> None:
    assert not restore(path, elsewhere).with_key
    with opened(elsewhere) as database:
        check(database)


@pytest.mark.parametrize("path", SEALED, ids=lambda path: path.stem)
def test_a_sealed_backup_of_every_version_is_restored_with_its_sign_ins(path: Path, elsewhere: Path) -> None:
    assert restore(path, elsewhere, PASSPHRASE).with_key
    with opened(elsewhere) as database:
        check(database)
        check_sealed(database, open_sealer(elsewhere, None))


def test_there_is_a_backup_of_this_version_for_the_tests() -> None:
    name = f"version-{backup_file.FORMAT.partition('/')[2]}"
    assert {f"{name}.backup", f"{name}-sealed.backup"} <= {path.name for path in (*OPEN, *SEALED)}


def test_what_the_owner_was_notified_of_since_the_backup_is_not_repeated(
    data_dir: Path, tmp_path: Path
) -> None:
    full = Problem("disk", "", "The disk is nearly full.")

    def look() -> list[Message]:
        with opened(data_dir) as database:
            announcements = Announcements(database)
            alerts = Alerts(database, announcements)
            for _ in range(LOOKS):
                alerts.look([full], NOW)
            waiting = announcements.waiting()
            for it in waiting:
                announcements.remove(it)
            return waiting

    backup(data_dir, tmp_path / "before")
    assert len(look()) == 1
    restore(tmp_path / "before", data_dir)
    assert look() == []


def test_what_the_webhook_was_not_sent_yet_outlives_a_restore(saved: Path, data_dir: Path) -> None:
    waiting = Message(id="1", type="problem.began", at="2026-11-23T10:00:00Z", data={})
    with opened(data_dir) as database:
        Announcements(database).add(waiting)
    restore(saved, data_dir)
    with opened(data_dir) as database:
        assert Announcements(database).waiting() == [waiting]


def test_the_newest_daily_copy_is_the_latest(data_dir: Path) -> None:
    with pytest.raises(UsageError, match="no daily copy"):
        latest_copy(data_dir)
    for days in range(3):
        rotate(data_dir, now=NOW + timedelta(days=days))
    assert latest_copy(data_dir).name == "buyerblock-2026-11-25.backup"
