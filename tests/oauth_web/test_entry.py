"""Who may enter, in parts: owners, the one-time code, pending sign-ins, limits."""

from datetime import timedelta

import pytest
from clocks import FakeClock

from oauth_web.access import limits
from oauth_web.access.entry_code import ALPHABET, LIFE, EntryCode
from oauth_web.access.limits import RateLimit
from oauth_web.access.owners import Owners
from oauth_web.access.pending import Pending
from oauth_web.services import SignIn
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


@pytest.fixture
def pending(clock: FakeClock) -> Pending[str]:
    return Pending(clock.now, life=timedelta(minutes=10), most=3)


def test_what_is_pending_is_taken_once_by_its_own_browser(pending: Pending[str]) -> None:
    pending.add("a", "value", session_id="mine")
    assert pending.take("a", session_id="another's") is None
    assert pending.take("a", session_id="mine") == "value"
    assert pending.take("a", session_id="mine") is None


def test_what_is_pending_gets_too_old(pending: Pending[str], clock: FakeClock) -> None:
    pending.add("a", "value", session_id="mine")
    pending.add("b", "value", session_id="mine")
    clock.advance(600)
    assert pending.take("a", session_id="mine") == "value"
    clock.advance(1)
    assert pending.take("b", session_id="mine") is None


def test_a_flood_of_what_is_pending_drops_the_oldest(pending: Pending[str]) -> None:
    for name in "abcd":
        pending.add(name, "value", session_id="mine")
    assert pending.take("a", session_id="mine") is None
    assert pending.take("d", session_id="mine") == "value"


def test_a_sign_in_does_not_show_its_proof() -> None:
    assert "proof" not in repr(SignIn(verifier="proof", redirect_uri="r"))


def test_a_limit_counts_each_caller_alone_and_lets_through_again_bit_by_bit(clock: FakeClock) -> None:
    limit = RateLimit(2, 10, clock.monotonic)
    assert [limit.wait("a"), limit.wait("a"), limit.wait("a")] == [0, 0, 5]
    assert limit.wait("b") == 0
    clock.advance(5)
    assert [limit.wait("a"), limit.wait("a")] == [0, 5]
    clock.advance(10)
    assert [limit.wait("a"), limit.wait("a"), limit.wait("a")] == [0, 0, 5]


def test_a_flood_of_callers_costs_no_memory(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CALLERS", 2)
    limit = RateLimit(1, 10, clock.monotonic)
    assert [limit.wait(caller) for caller in "abc"] == [0, 0, 0]
    assert limit.wait("c") == 10
    assert limit.wait("a") == 0
