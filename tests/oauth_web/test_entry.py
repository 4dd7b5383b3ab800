"""Who may enter, in parts: owners, the link for the first one, what is pending, limits."""

from datetime import timedelta

import pytest
from clocks import FakeClock

from oauth_web.access import limits
from oauth_web.access.limits import RateLimit
from oauth_web.access.owners import Owners
from oauth_web.access.pending import Pending
from oauth_web.access.start_link import StartLink
from worker.database import Database

VALUE = {"source": "optouts.csv"}


def test_the_first_to_claim_owns_and_the_second_does_not(database: Database) -> None:
    assert Owners(database).claim("first@gmail.com")
    assert not Owners(database).claim("second@gmail.com")
    assert Owners(database).emails() == {"first@gmail.com"}


@pytest.fixture
def link(terminal: list[str]) -> StartLink:
    found = StartLink("https://list.example.com/", terminal.append)
    found.show()
    return found


def shown(terminal: list[str]) -> str:
    return terminal[-1].rpartition("/start/")[2]


def test_the_link_is_the_last_word_of_a_line_and_counts_once(link: StartLink, terminal: list[str]) -> None:
    assert terminal[-1].split()[-1] == f"https://list.example.com/start/{shown(terminal)}"
    secret = shown(terminal)
    assert [link.open(secret), link.open(secret)] == ["right", "used"]


def test_whoever_opens_a_used_link_finds_the_next_one_on_the_terminal(
    link: StartLink, terminal: list[str]
) -> None:
    first = shown(terminal)
    link.open(first)
    assert (link.open(first), len(terminal)) == ("used", 2)
    assert shown(terminal) != first
    assert link.open(shown(terminal)) == "right"


def test_guessing_takes_the_link_from_nobody_and_prints_nothing(link: StartLink, terminal: list[str]) -> None:
    assert {link.open(guess) for guess in ("", "x" * 43, "é", "\udcff")} == {"wrong"}
    assert len(terminal) == 1
    assert link.open(shown(terminal)) == "right"


@pytest.mark.usefixtures("link")
def test_the_secret_is_too_long_to_be_guessed(terminal: list[str]) -> None:
    assert len(shown(terminal)) >= 43


@pytest.fixture
def pending(database: Database, clock: FakeClock) -> Pending:
    return Pending(database, clock.now, kind="import", lifetime=timedelta(minutes=10), limit=3)


def test_what_is_pending_is_taken_once_by_its_own_browser(pending: Pending) -> None:
    pending.add("a", VALUE, session_id="mine")
    assert pending.take("a", session_id="another's") is None
    assert pending.take("a", session_id="mine") == VALUE
    assert pending.take("a", session_id="mine") is None


def test_what_is_pending_of_one_kind_is_none_of_another(
    pending: Pending, database: Database, clock: FakeClock
) -> None:
    pending.add("a", VALUE, session_id="mine")
    other = Pending(database, clock.now, kind="grant", lifetime=timedelta(minutes=10), limit=1)
    assert other.take("a", session_id="mine") is None
    assert pending.take("a", session_id="mine") == VALUE


def test_what_is_pending_gets_too_old(pending: Pending, clock: FakeClock) -> None:
    pending.add("a", VALUE, session_id="mine")
    pending.add("b", VALUE, session_id="mine")
    clock.advance(600)
    assert pending.take("a", session_id="mine") == VALUE
    clock.advance(1)
    assert pending.take("b", session_id="mine") is None


def test_what_is_pending_and_too_old_is_deleted_by_the_next(
    pending: Pending, database: Database, clock: FakeClock
) -> None:
    pending.add("a", VALUE, session_id="mine")
    clock.advance(601)
    pending.add("b", VALUE, session_id="mine")
    assert len(database.documents("pending")) == 1


def test_a_flood_of_what_is_pending_drops_the_oldest(pending: Pending, clock: FakeClock) -> None:
    for name in "abcd":
        pending.add(name, VALUE, session_id="mine")
        clock.advance(1)
    assert pending.take("a", session_id="mine") is None
    assert pending.take("b", session_id="mine") == pending.take("d", session_id="mine") == VALUE


def test_what_is_pending_and_damaged_is_not_there(pending: Pending, database: Database) -> None:
    pending.add("a", VALUE, session_id="mine")
    database.documents("pending").update({"value": 5})
    assert pending.take("a", session_id="mine") is None


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
