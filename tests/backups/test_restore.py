"""What a restore brings back, on the same machine and on another."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from saving import EMAIL, GRANT, NOW, PASSPHRASE, accounts_of, alias, keys

from worker.accounts import EVER
from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.errors import SignInAgainError
from worker.operation.backup import backup
from worker.operation.health import Problem
from worker.operation.restore import restore
from worker.operation.telling import LOOKS, Telling
from worker.tokens import Tokens
from worker.webhook import Announcement, Announcements

EARLIER = Path(__file__).parent / "earlier"  # made by earlier versions; never made anew


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
    assert not list(elsewhere.glob("client_secret*"))
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


def test_whoever_owns_the_page_goes_on_owning_it(saved: Path, data_dir: Path) -> None:
    owners = b'{"owners": ["another@gmail.com"]}'
    (data_dir / "owners.json").write_bytes(owners)
    restore(saved, data_dir)
    assert (data_dir / "owners.json").read_bytes() == owners


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


def test_what_the_owner_was_told_since_the_backup_is_not_told_again(data_dir: Path, tmp_path: Path) -> None:
    full = Problem("disk", "", "The disk is nearly full.")

    def look() -> Announcements:
        announcements = Announcements(data_dir)
        telling = Telling(data_dir, announcements)
        for _ in range(LOOKS):
            telling.look([full], NOW)
        return announcements

    backup(data_dir, tmp_path / "before")
    for told in look().waiting():
        look().done(told)
    restore(tmp_path / "before", data_dir)
    assert look().waiting() == []


def test_what_the_webhook_was_not_told_yet_outlives_a_restore(saved: Path, data_dir: Path) -> None:
    waiting = Announcement(id="1", type="problem.began", at="2026-11-23T10:00:00Z", data={})
    Announcements(data_dir).add(waiting)
    restore(saved, data_dir)
    assert Announcements(data_dir).waiting() == [waiting]
