"""Who may enter, in parts: owners, the one-time code, sign-ins under way, limits."""

from datetime import timedelta

import pytest
from clocks import FakeClock

from oauth_web.access import attempts
from oauth_web.access.attempts import Attempts
from oauth_web.access.entry_code import ALPHABET, LIFE, EntryCode
from oauth_web.access.limits import Limit
from oauth_web.access.owners import Owners
from worker.database import Database


def test_the_first_to_claim_owns_and_the_second_does_not(database: Database) -> None:
    assert Owners(database).claim("first@gmail.com")
    assert not Owners(database).claim("second@gmail.com")
    assert Owners(database).all() == {"first@gmail.com"}


@pytest.fixture
def code(clock: FakeClock, terminal: list[str]) -> EntryCode:
    found = EntryCode(clock.now, terminal.append)
    found.offer()
    return found


def shown(terminal: list[str]) -> str:
    return terminal[-1].rpartition(" ")[2]


def test_the_code_counts_in_any_spelling_and_once(code: EntryCode, terminal: list[str]) -> None:
    assert code.accept(f" {shown(terminal).lower().replace('-', ' ')} ")
    assert not code.accept(shown(terminal))


def test_a_code_is_offered_once_while_it_counts(code: EntryCode, terminal: list[str]) -> None:
    code.offer()
    assert len(terminal) == 1


def test_guessing_does_not_take_the_code_from_who_can_see_it(code: EntryCode, terminal: list[str]) -> None:
    for _ in range(100):
        assert not code.accept("AAAAA-AAAAA")
        code.offer()
    assert len(terminal) == 1
    assert code.accept(shown(terminal))


@pytest.mark.usefixtures("code")
def test_the_code_is_long_enough_to_be_guessed_at(terminal: list[str]) -> None:
    assert len(set(ALPHABET)) ** len(shown(terminal).replace("-", "")) > 5e14


def test_an_old_code_does_not_count(code: EntryCode, terminal: list[str], clock: FakeClock) -> None:
    clock.advance(LIFE.total_seconds() + 1)
    assert not code.accept(shown(terminal))


def test_nothing_counts_before_a_code_was_offered(clock: FakeClock, terminal: list[str]) -> None:
    assert not EntryCode(clock.now, terminal.append).accept("")


def test_an_attempt_is_taken_once_by_its_own_browser(clock: FakeClock) -> None:
    under_way = Attempts(clock.now)
    state = under_way.new_state()
    under_way.begin(state, session_id="mine", verifier="v", redirect_uri="r")
    assert under_way.take(state, session_id="another's") is None
    taken = under_way.take(state, session_id="mine")
    assert taken is not None
    assert taken.verifier == "v"
    assert "verifier" not in repr(taken)
    assert under_way.take(state, session_id="mine") is None


def test_an_attempt_lasts_ten_minutes(clock: FakeClock) -> None:
    under_way = Attempts(clock.now)
    under_way.begin("a", session_id="mine", verifier="v", redirect_uri="r")
    under_way.begin("b", session_id="mine", verifier="v", redirect_uri="r")
    clock.advance(600)
    assert under_way.take("a", session_id="mine") is not None
    clock.advance(1)
    assert under_way.take("b", session_id="mine") is None


def test_a_flood_of_attempts_drops_the_oldest(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST", 3)
    under_way = Attempts(clock.now)
    for state in "abcd":
        under_way.begin(state, session_id="mine", verifier="v", redirect_uri="r")
    assert under_way.take("a", session_id="mine") is None
    assert under_way.take("d", session_id="mine") is not None


def test_a_limit_counts_each_visitor_in_a_sliding_window(clock: FakeClock) -> None:
    limit = Limit(2, timedelta(seconds=10), clock.now)
    assert limit.allows("a")
    clock.advance(5)
    assert limit.allows("a")
    assert not limit.allows("a")
    assert limit.allows("b")
    clock.advance(5)
    assert limit.allows("a")
    assert not limit.allows("a")
