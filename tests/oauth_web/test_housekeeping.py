"""What the server does beside passes: it is added to the scheduler, and does its work when it is due."""

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from browsing import post
from clocks import FakeClock
from flask.testing import FlaskClient
from people import GRANT, OWNER

from worker.app import App
from worker.block_list.model import Sighting
from worker.database import DATABASE
from worker.operation import housekeeping
from worker.operation.health import health
from worker.operation.housekeeping import Watchdog, schedule_housekeeping
from worker.owner.preferences import Preferences, change_preferences
from worker.publish import Copies, Copy, add_copy


@pytest.fixture
def works(engine: App, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], object]]:
    """What was added to the scheduler, by name, to be called when a test wants it to be due."""
    added: dict[str, Callable[[], object]] = {}

    def every(_interval: timedelta, name: str, work: Callable[[], object]) -> None:
        added[name] = work

    monkeypatch.setattr(engine.scheduler, "every", every)
    monkeypatch.setenv("WATCHDOG_USEC", "300000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    schedule_housekeeping(engine)
    return added


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[bytes]]]:
    """What systemd was told."""
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("There is no systemd on this system.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        def told() -> list[bytes]:
            heard = []
            while True:
                try:
                    heard.append(ear.recv(100))
                except BlockingIOError:
                    return heard

        yield told


def test_a_copy_is_made_once_a_day(
    works: dict[str, Callable[[], object]], engine: App, clock: FakeClock
) -> None:
    folder = engine.settings.data_dir / "backups"
    for _ in range(3):
        works["copy"]()
    assert len(list(folder.iterdir())) == 1
    clock.advance(timedelta(days=1).total_seconds())
    works["copy"]()
    assert len(list(folder.iterdir())) == 2


def buyer(number: int) -> str:
    return f"k4q8z1x7c3v{number:04}@marketplace.amazon.it"


def receive(engine: App, number: int, at: datetime, *, account: str = OWNER) -> None:
    """Record a notice about a buyer that Google dated so."""
    notice = Sighting(
        account=account, message_id=f"{number} {at}", received_at=at, address=buyer(number), order_id=None
    )
    engine.block_list.record([notice])


@pytest.fixture
def one_of_twenty(engine: App, clock: FakeClock) -> str:
    """A buyer whose notice is 400 days old, among others whose notices are of today; blocks expire after 365."""
    engine.accounts.connect(OWNER, GRANT, now=clock.now())
    receive(engine, 0, clock.now() - timedelta(days=400))
    for number in range(1, 20):
        receive(engine, number, clock.now())
    change_preferences(engine.database, lambda _: Preferences(expire_after_days=365))
    return buyer(0)


Works = dict[str, Callable[[], object]]


def test_blocks_expire_only_if_the_owner_wants_it(works: Works, engine: App, one_of_twenty: str) -> None:
    change_preferences(engine.database, lambda _: Preferences())
    works["expire"]()
    assert engine.block_list.get(one_of_twenty)
    change_preferences(engine.database, lambda _: Preferences(expire_after_days=365))
    works["expire"]()
    assert engine.block_list.get(one_of_twenty) is None
    assert len(engine.block_list) == 19


def test_a_clock_that_is_wrong_expires_nothing(
    works: Works, engine: App, clock: FakeClock, one_of_twenty: str
) -> None:
    receive(engine, 0, clock.now())
    clock.advance(timedelta(days=4000).total_seconds())
    works["expire"]()
    assert engine.block_list.get(one_of_twenty)
    assert len(engine.block_list) == 20


def test_a_file_with_any_date_in_it_is_no_clock(works: Works, engine: App, clock: FakeClock) -> None:
    engine.accounts.connect(OWNER, GRANT, now=clock.now())
    change_preferences(engine.database, lambda _: Preferences(expire_after_days=365))
    for number in range(20):
        receive(engine, number, clock.now() - timedelta(days=400 * (number == 0)), account="files")
    works["expire"]()
    assert len(engine.block_list) == 20


def test_who_expired_is_blocked_again_by_a_notice_that_came_before_expiry_and_was_read_after_it(
    works: Works, engine: App, clock: FakeClock, one_of_twenty: str
) -> None:
    works["expire"]()
    receive(engine, 0, clock.now() - timedelta(days=10))
    assert engine.block_list.get(one_of_twenty)


def test_too_many_blocks_at_once_expire_only_with_the_owners_word(
    works: Works, engine: App, clock: FakeClock, owner: FlaskClient, one_of_twenty: str
) -> None:
    receive(engine, 100, clock.now() + timedelta(days=500))
    works["expire"]()
    assert len(engine.block_list) == 21
    (problem,) = [it for it in health(engine, clock.now()).problems if it.kind == "expiry"]
    assert "20 of 21 blocks" in problem.sentence
    assert "Unblock these 20 buyers now" in owner.get("/settings/general").text
    assert post(owner, "/settings/expiry/now", form_on="/settings", count="19").status_code == 400
    assert len(engine.block_list) == 21
    assert post(owner, "/settings/expiry/now", form_on="/settings", count="20").status_code == 303
    assert [it.key for it in engine.block_list.blocks()] == [buyer(100)]
    assert engine.block_list.get(one_of_twenty) is None
    assert "expiry" not in {it.kind for it in health(engine, clock.now()).problems}


def test_expiry_is_taken_back_on_the_page_and_spares_whom_a_person_unblocked(
    works: Works, engine: App, clock: FakeClock, owner: FlaskClient, one_of_twenty: str
) -> None:
    receive(engine, 21, clock.now() - timedelta(days=401))
    engine.block_list.unblock(buyer(1), by="test")
    works["expire"]()
    assert not engine.block_list.unblock(buyer(21), by="test"), (
        "expired, and from now on unblocked by a person"
    )
    assert "Unblocked by expiry so far: 1 buyers" in owner.get("/settings/general").text
    assert post(owner, "/settings/expiry/undo", form_on="/settings").status_code == 303
    works["expire"]()
    assert engine.block_list.get(one_of_twenty)
    assert engine.block_list.get(buyer(1)) is None
    assert engine.block_list.get(buyer(21)) is None


def test_a_failure_is_logged_and_does_not_end_the_work(
    works: dict[str, Callable[[], object]], engine: App, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(engine.settings.data_dir / DATABASE)) as connection:
        connection.execute("DROP TABLE preferences")
    works["expire"]()
    assert "is damaged" in caplog.text


def test_systemd_hears_that_the_program_is_alive_while_passes_move(
    works: dict[str, Callable[[], object]], engine: App, clock: FakeClock, systemd: Callable[[], list[bytes]]
) -> None:
    engine.accounts.connect(OWNER, GRANT, now=clock.now())
    engine.accounts.update(OWNER, next_pass=clock.now() + timedelta(minutes=1))
    works["watchdog"]()
    assert systemd() == [b"WATCHDOG=1"]
    clock.advance(timedelta(minutes=5).total_seconds())
    works["watchdog"]()
    assert systemd() == [b"WATCHDOG=1"]


def test_systemd_hears_nothing_when_passes_have_stopped(
    engine: App, clock: FakeClock, systemd: Callable[[], list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    watchdog = Watchdog(engine)
    engine.accounts.connect(OWNER, GRANT, now=clock.now())
    engine.accounts.update(OWNER, next_pass=clock.now())
    assert watchdog.feed()
    clock.advance(housekeeping.MAX_PASS_DELAY.total_seconds() + 1)
    systemd()
    assert not watchdog.feed()
    assert systemd() == []
    monkeypatch.setattr(engine.passes, "spent", lambda _: 20)
    assert watchdog.feed(), "a long pass that makes calls is no stop"
    clock.advance(housekeeping.MAX_PASS_DELAY.total_seconds() + 1)
    assert not watchdog.feed(), "one that hangs is"
    monkeypatch.setattr(engine.scheduler, "waits_for_thread", lambda _: True)
    assert watchdog.feed(), "an account that waits for the passes of others is no stop"
    monkeypatch.setattr(engine.scheduler, "waits_for_thread", lambda _: False)
    engine.accounts.update(OWNER, state="sign_in_again", next_pass=None)
    assert watchdog.feed(), "an account that waits for its owner is no stop"


def test_copies_are_written_when_the_list_has_changed(
    engine: App, works: dict[str, Callable[[], object]], tmp_path: Path
) -> None:
    path = tmp_path / "list.txt"
    add_copy(
        Copies(engine.database), engine.block_list, Copy(path=str(path), format="txt"), now=engine.clock.now()
    )
    engine.block_list.block(["buyer00001@marketplace.amazon.it"], by="test")
    for _ in range(2):
        works["published"]()
    assert path.read_text(encoding="utf-8") == "buyer00001@marketplace.amazon.it\n"
