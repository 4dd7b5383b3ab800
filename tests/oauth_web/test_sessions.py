import hashlib
from datetime import timedelta

import pytest
from clocks import FakeClock

from oauth_web.access.sessions import OWNER_IDLE_TIMEOUT, OWNER_LIFETIME, STRANGER_LIFETIME, Sessions
from worker.database import Database
from worker.errors import StorageError
from worker.sealing import Sealer

SECRET = "a secret of at least thirty-two characters"
OWNED = {"owner": "seller@gmail.com"}


@pytest.fixture
def open_sessions(database: Database, clock: FakeClock) -> Sessions:
    return Sessions(database, Sealer(SECRET), clock.now)


def advance(clock: FakeClock, by: timedelta) -> None:
    clock.advance(by.total_seconds())


def test_an_owners_session_survives_a_restart(
    open_sessions: Sessions, database: Database, clock: FakeClock
) -> None:
    open_sessions.put("name", OWNED, new=True)
    assert Sessions(database, Sealer(SECRET), clock.now).get("name") == OWNED


def test_the_database_holds_neither_names_nor_content_in_the_clear(
    open_sessions: Sessions, database: Database
) -> None:
    open_sessions.put("name", OWNED, new=True)
    content = str([(it.doc_id, it) for it in database.documents("sessions")])
    assert "seller" not in content
    assert "name" not in content


def test_another_key_opens_no_session(open_sessions: Sessions, database: Database, clock: FakeClock) -> None:
    open_sessions.put("name", OWNED, new=True)
    assert Sessions(database, Sealer(SECRET[::-1]), clock.now).get("name") is None


def test_an_unused_session_ends(open_sessions: Sessions, clock: FakeClock) -> None:
    open_sessions.put("name", OWNED, new=True)
    advance(clock, OWNER_IDLE_TIMEOUT)
    assert open_sessions.get("name") == OWNED
    advance(clock, OWNER_IDLE_TIMEOUT + timedelta(seconds=1))
    assert open_sessions.get("name") is None


def test_a_used_session_ends_too(open_sessions: Sessions, clock: FakeClock) -> None:
    open_sessions.put("name", OWNED, new=True)
    for _ in range(OWNER_LIFETIME.days):
        advance(clock, timedelta(days=1))
        assert open_sessions.get("name") == OWNED
    advance(clock, timedelta(seconds=1))
    assert open_sessions.get("name") is None


def test_use_is_remembered_across_a_restart(
    open_sessions: Sessions, database: Database, clock: FakeClock
) -> None:
    open_sessions.put("name", OWNED, new=True)
    for _ in range(2):
        advance(clock, OWNER_IDLE_TIMEOUT - timedelta(hours=1))
        assert open_sessions.get("name") == OWNED
    assert Sessions(database, Sealer(SECRET), clock.now).get("name") == OWNED


def test_a_strangers_session_is_short_and_stands_in_the_cookie_alone(
    open_sessions: Sessions, database: Database, clock: FakeClock
) -> None:
    cookie = open_sessions.stranger_cookie({"csrf_token": "x"})
    assert not len(database.documents("sessions"))
    assert open_sessions.get(cookie) == {"csrf_token": "x"}
    advance(clock, STRANGER_LIFETIME + timedelta(seconds=1))
    assert open_sessions.get(cookie) is None


def test_no_cookie_that_was_made_up_is_a_strangers_session(open_sessions: Sessions) -> None:
    sealer = Sealer(SECRET)
    for content in ("", "[]", "5", '["another", {}, "2026-01-01"]', '["a stranger\'s session", {}, 5]'):
        assert open_sessions.get(sealer.seal(content)) is None
    assert open_sessions.get(Sealer(SECRET[::-1]).seal("[]")) is None
    assert open_sessions.get(open_sessions.stranger_cookie(OWNED)) is None


def test_an_ended_session_stays_ended_though_a_request_of_it_is_under_way(open_sessions: Sessions) -> None:
    open_sessions.put("name", OWNED, new=True)
    open_sessions.end("name")
    open_sessions.put("name", OWNED, new=False)
    assert open_sessions.get("name") is None


def test_an_ended_session_is_ended_for_every_process(
    open_sessions: Sessions, database: Database, clock: FakeClock
) -> None:
    open_sessions.put("name", OWNED, new=True)
    Sessions(database, Sealer(SECRET), clock.now).end("name")
    assert open_sessions.get("name") is None


def test_a_session_opens_under_no_other_name(open_sessions: Sessions, database: Database) -> None:
    open_sessions.put("name", OWNED, new=True)
    (document,) = database.documents("sessions").all()
    database.documents("sessions").put({hashlib.sha256(b"mine").hexdigest(): document})
    assert open_sessions.get("mine") is None


def test_a_session_that_cannot_be_read_is_none(open_sessions: Sessions, database: Database) -> None:
    open_sessions.put("name", OWNED, new=True)
    database.documents("sessions").update({"sealed": 5})
    assert open_sessions.get("name") is None


def test_a_sign_in_clears_away_what_has_expired(
    open_sessions: Sessions, database: Database, clock: FakeClock
) -> None:
    open_sessions.put("name", OWNED, new=True)
    advance(clock, OWNER_LIFETIME + timedelta(seconds=1))
    open_sessions.put("another", OWNED, new=True)
    assert len(database.documents("sessions")) == 1


def test_a_disk_that_cannot_be_written_ends_no_session(
    open_sessions: Sessions, database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("The disk is full.")

    open_sessions.put("name", OWNED, new=True)
    advance(clock, timedelta(days=1))
    monkeypatch.setattr(database.documents("sessions"), "put", full)
    assert open_sessions.get("name") == OWNED
