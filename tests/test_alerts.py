"""Every problem is told once: by the log and by the webhook."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from worker.database import Database
from worker.operation.alerts import LOOKS, MIN_ABSENCE, Alerts
from worker.operation.health import Problem
from worker.webhook import Announcements

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
DEAD = Problem("sign_in_again", "seller@gmail.com", "Please sign in again.")
FULL = Problem("disk", "", "The disk is nearly full: 53 MB are left.")


class Owner:
    """Looks once a minute, and what the owner was told until then."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = START
        self.restart()

    def restart(self) -> None:
        self.announcements = Announcements(self.database)
        self.alerts = Alerts(self.database, self.announcements)

    def look(self, *problems: Problem, times: int = 1) -> None:
        for _ in range(times):
            self.alerts.look(problems, self.now)
            self.now += timedelta(minutes=1)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(it.type, it.data["kind"]) for it in self.announcements.waiting()]


@pytest.fixture
def owner(database: Database) -> Owner:
    return Owner(database)


def test_a_problem_that_stays_is_told_once(owner: Owner, caplog: pytest.LogCaptureFixture) -> None:
    owner.look(DEAD, times=LOOKS - 1)
    assert owner.told == []
    owner.look(DEAD, times=3 * 24 * 60)
    assert owner.told == [("problem.began", "sign_in_again")]
    assert [it.getMessage() for it in caplog.records] == ["Problem: Please sign in again."]


def test_a_restart_tells_nothing_twice(owner: Owner) -> None:
    owner.look(DEAD, times=LOOKS)
    owner.restart()
    owner.look(DEAD, times=LOOKS)
    assert len(owner.told) == 1


def test_a_laptop_that_wakes_tells_nothing_of_its_sleep(owner: Owner) -> None:
    late = Problem("late", "seller@gmail.com", "The last good pass began a week ago.")
    for _ in range(50):
        owner.look(late)
        owner.look(times=8)
        owner.now += timedelta(days=7)
    assert owner.told == []


def test_a_disk_that_is_full_at_times_is_told_of_once(owner: Owner) -> None:
    for _ in range(30):
        owner.look(FULL, times=LOOKS)
        owner.look(times=10)
        owner.now += timedelta(hours=20)
    assert owner.told == [("problem.began", "disk")]


def test_the_end_of_a_problem_is_told_once_it_stayed_away(owner: Owner) -> None:
    owner.look(DEAD, times=LOOKS)
    owner.look()
    owner.now += MIN_ABSENCE
    owner.look(times=10)
    assert owner.told == [("problem.began", "sign_in_again"), ("problem.ended", "sign_in_again")]
    owner.look(DEAD, times=LOOKS)
    assert owner.told[2:] == [("problem.began", "sign_in_again")]


def test_a_sentence_that_changes_with_the_day_is_no_new_problem(owner: Owner) -> None:
    for left in range(100):
        owner.look(Problem("disk", "", f"The disk is nearly full: {left} MB are left."), times=LOOKS)
    assert len(owner.told) == 1


def test_the_same_problem_of_two_accounts_is_two_problems(owner: Owner) -> None:
    owner.look(DEAD, replace(DEAD, account="other@gmail.com"), times=LOOKS)
    assert len(owner.told) == 2
