"""What the server does beside passes: it is added to the scheduler, and does its work when it is due."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from clocks import FakeClock
from people import GRANT, OWNER

from worker.app import App
from worker.operation import housekeeping
from worker.operation.housekeeping import Watchdog, schedule_housekeeping
from worker.owner.preferences import Preferences, change_preferences

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"


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


def test_blocks_expire_only_if_the_owner_wants_it(
    works: dict[str, Callable[[], object]], engine: App, clock: FakeClock
) -> None:
    engine.block_list.block([ALIAS], by="test")
    clock.advance(timedelta(days=400).total_seconds())
    works["expire"]()
    assert len(engine.block_list) == 1
    change_preferences(engine.database, lambda _: Preferences(expire_after_days=365))
    works["expire"]()
    assert len(engine.block_list) == 0


def test_a_clock_that_no_good_pass_vouches_for_expires_nothing(
    works: dict[str, Callable[[], object]], engine: App, clock: FakeClock
) -> None:
    engine.block_list.block([ALIAS], by="test")
    engine.accounts.connect(OWNER, GRANT, now=clock.now())
    engine.accounts.update(OWNER, last_good_pass=clock.now())
    change_preferences(engine.database, lambda _: Preferences(expire_after_days=365))
    clock.advance(timedelta(days=4000).total_seconds())
    works["expire"]()
    assert len(engine.block_list) == 1
    engine.accounts.update(OWNER, last_good_pass=clock.now())
    works["expire"]()
    assert len(engine.block_list) == 0


def test_a_failure_is_logged_and_does_not_end_the_work(
    works: dict[str, Callable[[], object]], engine: App, caplog: pytest.LogCaptureFixture
) -> None:
    engine.database.documents("preferences").put({"preferences": {"expire_after_days": "soon"}})
    works["expire"]()
    assert "preferences is damaged" in caplog.text


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
    monkeypatch.setattr(engine.scheduler, "is_in_line", lambda _: True)
    assert watchdog.feed(), "an account that waits for the passes of others is no stop"
    monkeypatch.setattr(engine.scheduler, "is_in_line", lambda _: False)
    engine.accounts.update(OWNER, state="sign_in_again", next_pass=None)
    assert watchdog.feed(), "an account that waits for its owner is no stop"
