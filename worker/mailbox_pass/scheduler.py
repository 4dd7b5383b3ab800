"""Run every account's passes at intervals: one APScheduler job an account."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from worker.block_list.review import Review, ReviewItem
from worker.clock import Clock
from worker.errors import SignInAgainError, StoppedError
from worker.mailbox_pass.decisions import Decision, file_decided
from worker.mailbox_pass.passes import Passes
from worker.mailbox_pass.progress import Progress, Watch
from worker.owner.accounts import Accounts

log = logging.getLogger(__name__)

# Passes of different accounts wait for Google most of the time, so many fit on one machine.
PASSES_AT_ONCE = 50
# How long a pass may keep its thread while other accounts wait for one: reading years of old mail takes hours.
TURN = timedelta(minutes=10)
# As many as there are tasks at intervals, so that none of them ever waits for another, nor for a pass.
TASKS_AT_ONCE = 9


class _Steady(BackgroundScheduler):  # type: ignore[misc]  # APScheduler ships no types
    """Runs jobs by their intervals, whatever the clock of the machine is set to.

    By itself APScheduler waits, when the clock was set back, until it is there again; and when it was set ahead, it
    counts the runs in between one by one: millions, on a small machine whose clock starts in the year 1970.
    """

    def _process_jobs(self) -> Any:
        now = datetime.now(UTC)
        for job in self.get_jobs():
            if abs(job.next_run_time - now) > _longest_wait(job.trigger):
                with suppress(JobLookupError):  # taken away in this very moment
                    job.modify(next_run_time=now)
        return super()._process_jobs()


def _longest_wait(trigger: Any) -> timedelta:
    once = timedelta(seconds=1)
    return getattr(trigger, "interval", once) + timedelta(seconds=getattr(trigger, "jitter", None) or 0)


class _Line(ThreadPoolExecutor):  # type: ignore[misc]  # APScheduler ships no types
    """Threads for passes: as many as accounts need, up to a bound; then first come, first served. waiting: accounts."""

    def __init__(self) -> None:
        super().__init__(PASSES_AT_ONCE)
        self.waiting: set[str] = set()

    def _do_submit_job(self, job: Any, run_times: Any) -> None:
        self.waiting.add(job.id)
        super()._do_submit_job(job, run_times)


class _TurnOverError(StoppedError):
    """A pass gives its thread to an account that waits for one."""


class Scheduler:
    """The jobs. A pass starts at once, then after every interval, give or take a tenth, so that accounts spread out.

    interval: returns the seconds between two passes that hold now.
    """

    def __init__(
        self, passes: Passes, accounts: Accounts, review: Review, clock: Clock, *, interval: Callable[[], int]
    ) -> None:
        self._passes = passes
        self._accounts = accounts
        self._review = review
        self._clock = clock
        self._interval = interval
        self._line = _Line()
        self._tasks = ThreadPoolExecutor(TASKS_AT_ONCE)
        self._errands = ThreadPoolExecutor(TASKS_AT_ONCE)
        self._scheduler = _Steady(
            timezone="UTC",
            executors={"default": self._line, "tasks": self._tasks, "errands": self._errands},
            # After a night's sleep of the machine: run once, however late.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        # Accounts whose next pass is to be at once: APScheduler skips it while an older one runs.
        self._waiting: set[str] = set()
        self._scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED)

    def start(self) -> None:
        """Start with the accounts that are connected; those that wait for a sign-in get no job."""
        self._scheduler.start()
        self.restart()

    def claim(self, email: str) -> None:
        """Do nothing: all mailboxes here are one seller's."""

    def restart(self) -> None:
        """Replace the job of every account by one at the present interval; the first pass is at once."""
        for account in self._accounts.all():
            if not account.waits_for_sign_in:
                self.add(account.email)

    def add(self, email: str) -> None:
        """Give an account its job, if the scheduler runs, in place of the job it had.

        The first pass is at once, or as soon as the running one has ended.
        """
        if not self._scheduler.running:
            return  # a command beside the server; and ``start`` gives every account its job
        seconds = self._interval()
        self._waiting.add(email)
        self._scheduler.add_job(
            self._run,
            "interval",
            args=[email],
            id=email,
            replace_existing=True,
            seconds=seconds,
            jitter=max(1, seconds // 10),
            next_run_time=self._clock.now(),
        )

    def remove(self, email: str) -> None:
        """Take an account's job away, if it has one."""
        with suppress(JobLookupError):
            self._scheduler.remove_job(email)

    def file(self, items: list[ReviewItem], decision: Decision) -> None:
        """File mail that a person decided about, beside the passes, so that no page waits for Google."""
        work = (self._accounts, self._passes, self._review, items, decision)
        self._scheduler.add_job(file_decided, args=work, executor="errands")

    def every(self, interval: timedelta, name: str, work: Callable[[], object]) -> None:
        """Do something at intervals, beside the passes, first at once."""
        seconds, now = interval.total_seconds(), self._clock.now()
        self._scheduler.add_job(
            work, "interval", id=f"every:{name}", seconds=seconds, next_run_time=now, executor="tasks"
        )

    def is_in_line(self, email: str) -> bool:
        """Return whether an account's pass waits for a thread that passes of other accounts have."""
        return email in self._line.waiting

    def stop(self) -> None:
        """End the passes at their next call or wait, and return when they have ended."""
        self._clock.stop()
        # With wait=True APScheduler holds a lock that a pass needs to remove its own job.
        self._scheduler.shutdown(wait=False)
        for threads in (self._line, self._tasks, self._errands):
            threads.shutdown(wait=True)

    def _ended(self, event: Any) -> None:
        if event.job_id in self._waiting:
            with suppress(JobLookupError):
                self._scheduler.modify_job(event.job_id, next_run_time=self._clock.now())

    def _run(self, email: str) -> None:
        self._waiting.discard(email)
        self._line.waiting.discard(email)
        try:
            self._passes.run(email, self._turn())
        except _TurnOverError:
            self._waiting.add(email)
            return
        except StoppedError:
            return
        except SignInAgainError:
            # Only the user can help now; asking Google again and again would not.
            self.remove(email)
            self._passes.forget(email)
            self._accounts.update(email, next_pass=None)
            return
        except Exception:  # noqa: S110 - logged, and kept with the account, by Passes
            pass
        next_pass = self._clock.now() + timedelta(seconds=self._interval())
        if self._accounts.update(email, next_pass=next_pass) is None:
            # A command has disconnected it.
            self.remove(email)
            self._passes.forget(email)

    def _turn(self) -> Watch:
        """Return what ends a pass, between two steps, when its turn is over and others wait. Nothing is lost by it."""
        began = self._clock.monotonic()

        def give_way(_: Progress) -> None:
            if self._line.waiting and self._clock.monotonic() - began > TURN.total_seconds():
                raise _TurnOverError("Other mailboxes wait for their turn.")

        return give_way
