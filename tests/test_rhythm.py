"""When notices have stopped coming, by an account's own rhythm."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.mailbox_pass.notice_days import KEPT, MIN_DAYS, MIN_SILENCE, have_stopped, latest

START = date(2026, 1, 1)


def every(days: int, times: int = KEPT) -> tuple[date, ...]:
    return tuple(START + timedelta(days=days * number) for number in range(times))


@pytest.mark.parametrize(("usual", "unusual"), [(1, 7), (2, 12), (7, 42), (30, 180)])
def test_a_silence_is_unusual_after_six_times_the_usual_one(usual: int, unusual: int) -> None:
    days = every(usual)
    assert not have_stopped(days, days[-1] + timedelta(days=unusual))
    assert have_stopped(days, days[-1] + timedelta(days=unusual + 1))


def test_of_an_account_with_few_notices_nothing_can_be_said() -> None:
    assert not have_stopped((), START)
    assert not have_stopped(every(1, MIN_DAYS - 1), START + timedelta(days=1000))


def test_a_clock_that_was_set_back_is_no_silence() -> None:
    assert not have_stopped(every(1), START - timedelta(days=1000))


@given(st.lists(st.dates(), max_size=80), st.lists(st.dates(), max_size=80))
def test_the_latest_days_are_kept_in_order_however_they_come(known: list[date], new: list[date]) -> None:
    kept = latest(latest((), known), new)
    assert kept == tuple(sorted({*known, *new})[-KEPT:])
    assert latest(kept, new) == kept


@given(st.lists(st.dates(date(2020, 1, 1), date(2026, 1, 1)), min_size=1))
def test_a_week_without_notices_worries_nobody(days: list[date]) -> None:
    kept = latest((), days)
    assert not have_stopped(kept, kept[-1] + MIN_SILENCE)
