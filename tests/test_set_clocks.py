"""A machine that slept, and a clock that somebody set: the list ends up right, and nothing waits for the clock."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.events import EVENT_JOB_EXECUTED
from clocks import FakeClock
from sellers import EMAIL, EXPECTED, Seller, connected, running, sample

from oauth_web.demo.sandbox import Sandbox
from worker.block_list.model import Sighting
from worker.mailbox_pass.resolve import Resolver

NOTICES = (
    "opt_out/en_com.eml",
    "opt_out/fr_fr.eml",
    "opt_out/en_text_only.eml",
    "opt_out/it_specimen_shape.eml",
)
BUYERS = {EXPECTED[name]["address"] for name in NOTICES}
ORDER = "406-1234567-7654321"
BUYER = "abcd1234efgh567@marketplace.amazon.it"
JUMPS = [timedelta(hours=1), timedelta(days=1), timedelta(days=400), timedelta(days=9000)]


class Watch(FakeClock):
    """The program's clock: it goes as Google's does, and somebody may set it. wrong: by how much it is ahead."""

    def __init__(self, right: FakeClock) -> None:
        super().__init__()
        self._right = right
        self.wrong = timedelta()

    def now(self) -> datetime:
        return self._right.now() + self.wrong

    def monotonic(self) -> float:
        return self._right.monotonic()

    def pause(self, seconds: float) -> None:
        self._right.pause(seconds)


@pytest.fixture
def watch(clock: FakeClock) -> Watch:
    return Watch(clock)


@pytest.fixture
def seller(google: Sandbox, watch: Watch, tmp_path: Path) -> Iterator[Seller]:
    with connected(google, watch, tmp_path) as seller:
        yield seller


def arrives(google: Sandbox, name: str) -> None:
    google.deliver(EMAIL, sample(name), received_at=google.clock.now())


def test_what_came_in_a_week_of_sleep_is_on_the_list_after_one_pass(
    google: Sandbox, seller: Seller, clock: FakeClock
) -> None:
    seller.run_pass()
    for name in NOTICES:
        clock.advance(42 * 3600)
        arrives(google, name)
    before = clock.monotonic()
    assert seller.run_pass().opt_outs == len(NOTICES)
    assert seller.blocked() == BUYERS
    assert clock.monotonic() - before < 1, "there is quota, so nothing is waited for"


@pytest.mark.parametrize("jump", [*JUMPS, *(-it for it in JUMPS)], ids=str)
@pytest.mark.parametrize(
    "at", ["labels.create", "messages.list", "labels.get", "messages.get", "messages.modify"]
)
def test_a_clock_that_is_set_in_mid_pass_changes_nothing(
    google: Sandbox, seller: Seller, watch: Watch, jump: timedelta, at: str
) -> None:
    def set_clock(_number: int, method: str, _email: str) -> None:
        if method == at:
            watch.wrong = jump

    first, second, third, fourth = NOTICES
    arrives(google, first)
    google.fault = set_clock
    seller.run_pass()
    arrives(google, second)
    before = watch.monotonic()
    seller.run_pass()
    assert watch.monotonic() - before < 5, "nothing waits for the clock"
    watch.wrong = timedelta()
    google.fault = None
    arrives(google, third)
    seller.run_pass()
    seller.later(days=1, hours=1)
    seller.restart()
    arrives(google, fourth)
    seller.run_pass()
    assert seller.blocked() == BUYERS
    assert len(seller.review.items()) == 0


def test_an_order_waits_no_longer_because_the_clock_was_set_back(seller: Seller, watch: Watch) -> None:
    """The first try failed, by a clock that was ahead; the buyer's own mail has come since."""
    notice = Sighting(account=EMAIL, message_id="notice", received_at=watch.now(), order_id=ORDER)
    seller.block_list.record([notice])
    resolver = Resolver(replace(seller.context, clock=watch))
    watch.wrong = timedelta(days=400)
    assert resolver.resolve_some() == 0
    watch.wrong = timedelta()
    seller.google.deliver(EMAIL, f"To: {BUYER}\r\n\r\nYour order {ORDER} is on its way.".encode(), sent=True)
    assert resolver.resolve_some() == 1


# A clock that was ahead by more than the overlap, and by less than what has gone by since, is found out by nobody.
@pytest.mark.parametrize(
    "wrong", [it for it in JUMPS if it != timedelta(days=1)] + [-it for it in JUMPS], ids=str
)
def test_mail_that_slipped_past_lost_filters_is_found_although_the_clock_was_wrong(
    google: Sandbox, seller: Seller, watch: Watch, clock: FakeClock, wrong: timedelta
) -> None:
    watch.wrong = wrong
    seller.run_pass()
    watch.wrong = timedelta()
    clock.advance(7200)
    user = google.user(EMAIL)
    for it in user.filters():
        user.delete_filter(str(it["id"]))
    for name in NOTICES:
        arrives(google, name)
    clock.advance(timedelta(days=10).total_seconds())
    seller.run_pass()
    assert seller.blocked() == BUYERS


def test_jobs_run_at_once_whatever_the_clock_was_set_to(google: Sandbox, tmp_path: Path) -> None:
    """To a job, a clock that was set back is a next run far ahead; one set forward, or a sleep, a run long overdue."""
    with running(google, tmp_path, EMAIL) as app:
        ran, jobs = threading.Semaphore(0), app.scheduler._scheduler
        jobs.add_listener(lambda _: ran.release(), EVENT_JOB_EXECUTED)
        app.scheduler.every(timedelta(seconds=5), "work", lambda: None)
        app.scheduler.start()
        for _ in range(2):
            assert ran.acquire(timeout=30)
        for days in (-7, -20_000, 365, 20_000):
            for job in jobs.get_jobs():
                job.modify(next_run_time=job.next_run_time + timedelta(days=days))
            for _ in range(2):
                assert ran.acquire(timeout=4), f"{days} days"
        assert not ran.acquire(blocking=False), "once, however much was missed"
        app.scheduler.stop()
