from contextlib import ExitStack

import pytest
from clocks import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import QuotaError, StoppedError
from worker.gmail.quota import FIRST_IN_FLIGHT, MAX_IN_FLIGHT, PRICES, WINDOW, Quota
from worker.problems import Cause

METHODS = sorted(PRICES)


def spend(quota: Quota, clock: FakeClock, method: str, takes: float = 0.0) -> tuple[float, float]:
    with quota.spend(method):
        started = clock.monotonic()
        clock.advance(takes)
    return started, clock.monotonic()


@given(st.lists(st.tuples(st.sampled_from(METHODS), st.floats(0, 5), st.floats(0, 30)), max_size=150))
def test_no_window_of_a_minute_holds_more_than_the_allowance(calls: list[tuple[str, float, float]]) -> None:
    clock, allowance = FakeClock(), 300
    quota = Quota(allowance, clock)
    spent = []
    for method, takes, idle in calls:
        started, ended = spend(quota, clock, method, takes)
        # Google charges somewhere between start and answer; the window is shut at both ends.
        spent += [(started, PRICES[method]), (ended, PRICES[method])]
        clock.advance(idle)
    for at_start in (0, 1):
        charges = spent[at_start::2]
        for begin, _ in charges:
            assert sum(units for at, units in charges if begin <= at < begin + WINDOW) <= allowance


@given(st.integers(100, 6000), st.integers(1, 400))
def test_it_is_never_idle_while_some_of_the_allowance_is_left(allowance: int, calls: int) -> None:
    clock = FakeClock()
    quota = Quota(allowance, clock)
    for _ in range(calls):
        spend(quota, clock, "users.messages.get")
    full_windows = (calls * 20 - 1) // (allowance // 20 * 20)
    assert clock.monotonic() == pytest.approx(full_windows * WINDOW)


def test_it_counts_what_was_spent() -> None:
    clock = FakeClock()
    quota = Quota(6000, clock)
    spend(quota, clock, "users.messages.get")
    spend(quota, clock, "users.messages.batchModify")
    assert quota.spent == 70


@pytest.mark.parametrize(
    ("refusals", "answers", "at_once"),
    [
        (0, 0, FIRST_IN_FLIGHT),
        (0, 40, FIRST_IN_FLIGHT),
        (0, 50, FIRST_IN_FLIGHT + 1),
        (0, 1000, MAX_IN_FLIGHT),
        (1, 0, FIRST_IN_FLIGHT // 2),
        (1, 20, FIRST_IN_FLIGHT // 2),
        (1, 30, FIRST_IN_FLIGHT // 2 + 1),
        (9, 0, 1),
    ],
)
def test_answers_let_one_more_request_be_in_flight_and_refusals_for_concurrency_half_as_many(
    refusals: int, answers: int, at_once: int
) -> None:
    clock = FakeClock()
    quota = Quota(6000, clock)
    for _ in range(refusals):
        quota.record_refusal(QuotaError(Cause.SPEED_LIMIT, concurrent=True))
    for _ in range(answers):
        spend(quota, clock, "users.labels.get")
    clock.stop()
    with ExitStack() as calls:
        for _ in range(at_once):
            calls.enter_context(quota.spend("users.labels.get"))
        with pytest.raises(StoppedError), quota.spend("users.labels.get"):
            pass
    assert clock.monotonic() == 0.0


def test_waiting_for_quota_ends_at_once_when_the_program_stops() -> None:
    clock = FakeClock()
    quota = Quota(60, clock)
    spend(quota, clock, "users.messages.batchModify")
    clock.stop()
    with pytest.raises(StoppedError):
        spend(quota, clock, "users.messages.get")
    assert clock.monotonic() == 0.0


def test_a_call_that_fails_is_paid_for_all_the_same() -> None:
    clock = FakeClock()
    quota = Quota(60, clock)
    with pytest.raises(OSError, match="cut"), quota.spend("users.messages.batchModify"):
        raise OSError("cut")
    spend(quota, clock, "users.messages.get")
    assert clock.monotonic() == pytest.approx(WINDOW)
