from datetime import timedelta
from pathlib import Path

import pytest
from clocks import FakeClock

from oauth_web import sessions
from oauth_web.sessions import OWNERS_IDLE, OWNERS_LIFE, STRANGERS_LIFE, Sessions
from worker.sealing import Sealer

SECRET = "a secret of at least thirty-two characters"
OWNED = {"owner": "seller@gmail.com"}


@pytest.fixture
def open_sessions(tmp_path: Path, clock: FakeClock) -> Sessions:
    return Sessions(tmp_path, Sealer(SECRET), clock.now)


def advance(clock: FakeClock, by: timedelta) -> None:
    clock.advance(by.total_seconds())


def test_an_owners_session_survives_a_restart(
    open_sessions: Sessions, tmp_path: Path, clock: FakeClock
) -> None:
    open_sessions.put("name", OWNED, new=True)
    assert Sessions(tmp_path, Sealer(SECRET), clock.now).get("name") == OWNED


def test_the_file_holds_neither_names_nor_content_in_the_clear(
    open_sessions: Sessions, tmp_path: Path
) -> None:
    open_sessions.put("name", OWNED, new=True)
    content = (tmp_path / "sessions.sealed").read_text()
    assert "seller" not in content
    assert "name" not in content


def test_another_key_opens_no_session(open_sessions: Sessions, tmp_path: Path, clock: FakeClock) -> None:
    open_sessions.put("name", OWNED, new=True)
    assert Sessions(tmp_path, Sealer(SECRET[::-1]), clock.now).get("name") is None


def test_an_unused_session_ends(open_sessions: Sessions, clock: FakeClock) -> None:
    open_sessions.put("name", OWNED, new=True)
    advance(clock, OWNERS_IDLE)
    assert open_sessions.get("name") == OWNED
    advance(clock, OWNERS_IDLE + timedelta(seconds=1))
    assert open_sessions.get("name") is None


def test_a_used_session_ends_too(open_sessions: Sessions, clock: FakeClock) -> None:
    open_sessions.put("name", OWNED, new=True)
    for _ in range(OWNERS_LIFE.days):
        advance(clock, timedelta(days=1))
        assert open_sessions.get("name") == OWNED
    advance(clock, timedelta(seconds=1))
    assert open_sessions.get("name") is None


def test_use_is_remembered_across_a_restart(
    open_sessions: Sessions, tmp_path: Path, clock: FakeClock
) -> None:
    open_sessions.put("name", OWNED, new=True)
    for _ in range(2):
        advance(clock, OWNERS_IDLE - timedelta(hours=1))
        assert open_sessions.get("name") == OWNED
    assert Sessions(tmp_path, Sealer(SECRET), clock.now).get("name") == OWNED


def test_a_strangers_session_is_short_and_never_on_disk(
    open_sessions: Sessions, tmp_path: Path, clock: FakeClock
) -> None:
    open_sessions.put("name", {"csrf_token": "x"}, new=True)
    assert not (tmp_path / "sessions.sealed").exists()
    advance(clock, STRANGERS_LIFE + timedelta(seconds=1))
    assert open_sessions.get("name") is None


def test_an_ended_session_stays_ended_though_a_request_of_it_is_under_way(open_sessions: Sessions) -> None:
    open_sessions.put("name", OWNED, new=True)
    open_sessions.end("name")
    open_sessions.put("name", OWNED, new=False)
    assert open_sessions.get("name") is None


def test_a_flood_of_strangers_never_pushes_an_owner_out(
    open_sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_STRANGERS", 20)
    open_sessions.put("name", OWNED, new=True)
    for number in range(50):
        open_sessions.put(f"stranger {number}", {"x": 1}, new=True)
    kept = [number for number in range(50) if open_sessions.get(f"stranger {number}")]
    assert open_sessions.get("name") == OWNED
    assert 49 in kept
    assert len(kept) <= 20
