"""When buyerblock is ready, and the sentences it gives when it is not."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from worker.app import App, build_app
from worker.block_list.review import ReviewItem, State
from worker.database import COPIES, DATABASE
from worker.errors import DamagedFileError
from worker.gmail.credentials import Grant
from worker.notices.doubts import Doubt, Reason
from worker.operation.backup import rotate
from worker.operation.health import MIN_FREE, Health, Problem, health
from worker.operation.metrics import metrics
from worker.problems import Cause, MailboxProblem
from worker.publish import Copies, Copy, write
from worker.settings import Settings
from worker.webhook import Webhook

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
EMAIL = "seller@gmail.com"
GRANT = Grant("1//refresh-token", "client-id", "client-secret", "https://oauth2.example/token")
WELL = Health(())


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An app over an empty directory with one account that had a good pass a minute ago."""
    settings = Settings(data_dir=tmp_path, client_secrets=tmp_path / "client.json", secret_key="k" * 32)
    app = build_app(settings)
    app.accounts.connect(EMAIL, GRANT, now=NOW - timedelta(days=30))
    app.accounts.update(EMAIL, last_good_pass=NOW - timedelta(minutes=1))
    with closing(app.passes):
        yield app


def damage(app: App) -> None:
    """Make the database unreadable."""
    app.database.close()
    (app.settings.data_dir / DATABASE).write_bytes(b"garbage\n" * 1000)


def reason(app: App, now: datetime = NOW) -> str:
    """Return the one reason that there is."""
    found = health(app, now)
    assert not found.ready
    assert len(found.reasons) == 1
    return found.reasons[0]


def test_all_is_well(app: App, tmp_path: Path) -> None:
    before = sorted(it.name for it in tmp_path.iterdir())
    assert health(app, NOW) == WELL
    assert sorted(it.name for it in tmp_path.iterdir()) == before


def test_a_program_that_nobody_has_signed_in_to_yet_is_ready(app: App) -> None:
    app.accounts.remove(EMAIL)
    assert health(app, NOW) == WELL


def test_a_dead_sign_in_is_a_reason(app: App) -> None:
    app.accounts.update(
        EMAIL, state="sign_in_again", problem=MailboxProblem(Cause.SIGN_IN_NOT_ACCEPTED), last_good_pass=None
    )
    assert reason(app) == f"{EMAIL}: {Cause.SIGN_IN_NOT_ACCEPTED.value}"


def warning(app: App, now: datetime = NOW) -> Problem:
    """Return the one problem that there is; notices become blocks all the same."""
    found = health(app, now)
    assert found.ready
    (problem,) = found.problems
    return problem


def test_a_forwarding_address_that_was_lost_is_told_and_stops_nothing(app: App) -> None:
    good = NOW - timedelta(minutes=1)
    app.accounts.update(
        EMAIL,
        state="problem",
        problem=MailboxProblem(Cause.FORWARDING_UNVERIFIED, {"address": "tool@example.com"}),
        last_pass=good,
    )
    found = warning(app)
    assert (found.kind, found.account) == ("advice", EMAIL)
    assert found.sentence == str(app.accounts.get(EMAIL).problem)


def test_a_failure_in_passing_is_no_problem_yet(app: App) -> None:
    app.accounts.update(
        EMAIL,
        state="problem",
        problem=MailboxProblem(Cause.UNREACHABLE, {"why": "no answer in time"}),
        last_pass=NOW,
    )
    assert health(app, NOW) == WELL


def test_the_end_of_a_sign_in_by_a_client_in_testing_is_told_two_days_before(app: App) -> None:
    signed_in = NOW - timedelta(days=4)
    app.accounts.connect(EMAIL, replace(GRANT, lifetime=604_799), now=signed_in)
    assert health(app, NOW) == WELL
    app.accounts.update(EMAIL, last_good_pass=NOW + timedelta(days=1, minutes=9))
    told = warning(app, NOW + timedelta(days=1, minutes=10))
    assert told.kind == "sign_in_ends"
    assert "2026-11-26 at 09:59 UTC" in told.sentence
    app.accounts.connect(EMAIL, GRANT, now=NOW + timedelta(days=1))
    assert health(app, NOW) == WELL, "the client is in production now"


def test_notices_that_stop_coming_are_told_by_the_accounts_own_rhythm(app: App) -> None:
    last = NOW.date() - timedelta(days=8)
    daily = tuple(last - timedelta(days=number) for number in reversed(range(30)))
    weekly = tuple(last - timedelta(weeks=number) for number in reversed(range(30)))
    app.accounts.update(EMAIL, notice_days=daily)
    assert warning(app).kind == "silence"
    assert "since 2026-11-15" in warning(app).sentence
    app.accounts.update(EMAIL, notice_days=weekly)
    assert health(app, NOW) == WELL


def test_a_silence_that_the_owner_knows_of_is_told_again_only_when_another_one_begins(app: App) -> None:
    days = tuple(NOW.date() - timedelta(days=9 + number) for number in reversed(range(30)))
    app.accounts.update(EMAIL, notice_days=days, silence_heard=days[-1])
    assert health(app, NOW) == WELL
    app.accounts.update(EMAIL, notice_days=(*days[1:], days[-1] + timedelta(days=1)))
    assert warning(app, NOW).kind == "silence"


@pytest.mark.parametrize("decided", ["dismissed", "blocked"])
def test_words_that_are_not_known_are_told_until_all_mail_in_them_is_decided_about(
    app: App, decided: State
) -> None:
    mail = ReviewItem(
        account=EMAIL,
        gmail_id="1",
        message_id="1@amazonses.example",
        received_at=NOW - timedelta(days=40),
        reason=Reason(Doubt.GUESSED_WORDING),
    )
    forged = replace(mail, gmail_id="3", reason=Reason(Doubt.DMARC_FAILED))
    app.review.add([mail, replace(mail, gmail_id="2", received_at=NOW), forged])
    assert warning(app).kind == "new_wording"
    assert "the last on 2026-11-23" in warning(app).sentence
    app.review.decide([f"{EMAIL}:2"], decided)
    assert "the last on 2026-10-14" in warning(app).sentence
    app.review.decide([mail.id], decided)
    assert health(app, NOW) == WELL
    app.review.decide([mail.id], "waiting")
    assert warning(app).kind == "new_wording"


def test_a_webhook_that_is_paused_is_told(app: App) -> None:
    webhook = Webhook(app.database, app.sealer)
    webhook.set("https://shop.example/hook")
    hook = webhook.existing()
    webhook.update(hook, replace(hook, paused=True, problem="It answered with status 500."))
    assert warning(app).sentence.endswith("It answered with status 500.")


def test_copies_that_cannot_be_written_are_told_until_they_are(app: App, tmp_path: Path) -> None:
    copies = Copies(app.database)
    for name in ("one.csv", "two.csv"):
        copies.add(Copy(path=str(tmp_path / name), format="csv", failure="missing"))
    (found,) = health(app, NOW).problems
    assert (found.kind, found.stopping) == ("copies", False)
    assert found.sentence.startswith("2 copies of the list cannot be written;")
    copies.remove(str(tmp_path / "one.csv"))
    (found,) = health(app, NOW).problems
    assert found.sentence.startswith(f"The folder of {tmp_path / 'two.csv'} is missing")
    write(copies, app.block_list, copies.all()[0], now=NOW)
    assert health(app, NOW) == WELL


@pytest.mark.parametrize(("minutes", "late"), [(17, False), (18, False), (19, True)])
def test_passes_that_stopped_are_a_reason(app: App, minutes: int, *, late: bool) -> None:
    app.accounts.update(
        EMAIL,
        state="problem",
        problem=MailboxProblem(Cause.UNREACHABLE, {"why": "no answer in time"}),
        last_good_pass=NOW - timedelta(minutes=minutes),
    )
    assert health(app, NOW).ready != late
    if late:
        assert reason(app) == (
            f"{EMAIL}: The last good pass began on 2026-11-23 at 09:41 UTC. "
            "Google could not be reached (no answer in time)."
        )


def test_an_account_that_never_had_a_good_pass_is_late_by_its_connection(app: App) -> None:
    app.accounts.update(EMAIL, last_good_pass=None)
    assert reason(app) == f"{EMAIL}: No pass has come to its end yet."


def test_a_clock_that_was_set_back_is_no_reason(app: App) -> None:
    assert health(app, NOW - timedelta(days=400)) == WELL


def test_a_nearly_full_disk_is_a_reason(app: App) -> None:
    assert health(app, NOW, free=lambda _: MIN_FREE) == WELL
    found = health(app, NOW, free=lambda _: 53_000_000)
    assert "nearly full: 53 MB are left" in found.reasons[0]


@pytest.mark.skipif(sys.platform == "win32", reason="A folder in use cannot be renamed on Windows.")
def test_a_data_directory_that_is_gone_is_a_reason(app: App, tmp_path: Path) -> None:
    folder = tmp_path.rename(tmp_path.with_name("elsewhere"))
    try:
        assert health(app, NOW).reasons[0].startswith(f"Nothing can be written to {tmp_path}: ")
    finally:
        folder.rename(tmp_path)


def test_a_damaged_database_is_a_reason(app: App) -> None:
    damage(app)
    assert "is damaged" in reason(app)


def test_damage_that_the_daily_check_finds_is_a_reason_from_then_on(app: App, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        connection.execute("DROP INDEX judged_day")
    assert health(app, NOW) == WELL
    with pytest.raises(DamagedFileError):
        rotate(tmp_path, now=NOW, database=app.database)
    found = health(app, NOW)
    assert [problem.kind for problem in found.problems] == ["damage"]
    assert "buyerblock restore --latest" in reason(app)
    assert not (tmp_path / COPIES).exists()


def test_a_database_that_is_locked_for_too_long_is_no_damage(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.database.close()
    monkeypatch.setattr(app.database.engine, "_patience", 0.01)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("DELETE FROM judged")
        other.commit()
        assert "writing to" in reason(app)
        assert [problem.kind for problem in health(app, NOW).problems] == ["disk"]


# --- for Prometheus


def samples(text: bytes) -> dict[str, float]:
    return {
        it.name + "".join(f'{{{name}="{value}"}}' for name, value in it.labels.items()): it.value
        for family in text_string_to_metric_families(text.decode())
        for it in family.samples
        if not it.name.endswith("_created")
    }


def test_the_numbers_are_those_of_the_list_and_the_accounts(app: App) -> None:
    app.block_list.block(["k4q8z1x7c3v9b2n@marketplace.amazon.it"], by="test")
    app.accounts.update(EMAIL, queued=3)
    found = samples(metrics(app, NOW))

    assert found.pop("buyerblock_disk_free_bytes") > 0
    found = {name: value for name, value in found.items() if "_total" not in name}
    assert found == {
        "buyerblock_ready": 1,
        "buyerblock_blocks": 1,
        "buyerblock_review": 0,
        "buyerblock_sync_interval_seconds": 60,
        'buyerblock_signed_in{account="seller@gmail.com"}': 1,
        'buyerblock_account_ok{account="seller@gmail.com"}': 1,
        'buyerblock_queued{account="seller@gmail.com"}': 3,
        'buyerblock_last_good_pass_age_seconds{account="seller@gmail.com"}': 60,
    }


def test_a_dead_sign_in_shows(app: App) -> None:
    app.accounts.update(EMAIL, state="sign_in_again", last_good_pass=None)
    found = samples(metrics(app, NOW))
    assert found["buyerblock_ready"] == 0
    assert found['buyerblock_signed_in{account="seller@gmail.com"}'] == 0
    assert not [it for it in found if "last_good_pass" in it]


def test_a_list_that_cannot_be_read_leaves_numbers_out_and_invents_none(app: App) -> None:
    damage(app)
    found = samples(metrics(app, NOW))
    assert found["buyerblock_ready"] == 0
    assert "buyerblock_blocks" not in found
