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

# Passes wait for Google most of the time, so many run on one machine.
PASSES_AT_ONCE = 50
# How long a pass may keep its thread while other accounts wait for one: reading years of old mail takes hours.
TIME_SLICE = timedelta(minutes=10)
# The number of tasks at intervals, so that no task waits for another.
TASKS_AT_ONCE = 9


class _ClockSafeScheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler ships no types
    """Runs jobs at their intervals, even when the machine's clock is set back or ahead.

    APScheduler alone waits for the old time after the clock was set back. After the clock was set ahead, it counts the
    missed runs one by one: millions, on a small machine whose clock starts in 1970.
    """

    def _process_jobs(self) -> Any:
        now = datetime.now(UTC)
        for job in self.get_jobs():
            if abs(job.next_run_time - now) > _longest_wait(job.trigger):
                with suppress(JobLookupError):  # removed by another thread
                    job.modify(next_run_time=now)
        return super()._process_jobs()


def _longest_wait(trigger: Any) -> timedelta:
    one_time = timedelta(seconds=1)
    return getattr(trigger, "interval", one_time) + timedelta(seconds=getattr(trigger, "jitter", None) or 0)


class _PassThreads(ThreadPoolExecutor):  # type: ignore[misc]  # APScheduler ships no types
    """At most PASSES_AT_ONCE threads, first in, first out. waiting: accounts whose pass has no thread yet."""

    def __init__(self) -> None:
        super().__init__(PASSES_AT_ONCE)
        self.waiting: set[str] = set()

    def _do_submit_job(self, job: Any, run_times: Any) -> None:
        self.waiting.add(job.id)
        super()._do_submit_job(job, run_times)


class _TimeSliceOverError(StoppedError):
    """A pass gives its thread to an account that waits for one."""


class Scheduler:
    """The jobs. An account's first pass starts at once, the next after the interval, ±10 %, to spread the accounts.

    interval: returns the current seconds between two passes.
    """

    def __init__(
        self, passes: Passes, accounts: Accounts, review: Review, clock: Clock, *, interval: Callable[[], int]
    ) -> None:
        self._passes = passes
        self._accounts = accounts
        self._review = review
        self._clock = clock
        self._interval = interval
        self._pass_threads = _PassThreads()
        self._task_threads = ThreadPoolExecutor(TASKS_AT_ONCE)
        self._filing_threads = ThreadPoolExecutor(TASKS_AT_ONCE)
        self._scheduler = _ClockSafeScheduler(
            timezone="UTC",
            executors={
                "default": self._pass_threads,
                "tasks": self._task_threads,
                "filing": self._filing_threads,
            },
            # After the machine was asleep: run each job once, no matter how late.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        # Accounts whose next pass must start at once: APScheduler skips a job that is still running.
        self._run_again: set[str] = set()
        self._scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED)

    def start(self) -> None:
        """Start the jobs of all connected accounts, except those that wait for a sign-in."""
        self._scheduler.start()
        self.restart()

    def claim(self, email: str) -> None:
        """Do nothing: all mailboxes here belong to one seller."""

    def restart(self) -> None:
        """Replace the job of every account by one with the current interval; the first pass starts at once."""
        for account in self._accounts.all():
            if not account.waits_for_sign_in:
                self.add(account.email)

    def add(self, email: str) -> None:
        """Add or replace the job of an account, if the scheduler runs.

        The first pass starts at once, or when the running one ends.
        """
        if not self._scheduler.running:
            return  # in a command; or before ``start``, which adds the jobs of all accounts
        seconds = self._interval()
        self._run_again.add(email)
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
        """Remove an account's job, if it has one."""
        with suppress(JobLookupError):
            self._scheduler.remove_job(email)

    def file(self, items: list[ReviewItem], decision: Decision) -> None:
        """File mail that a person decided about, in another thread, so that no page waits for Google."""
        arguments = (self._accounts, self._passes, self._review, items, decision)
        self._scheduler.add_job(file_decided, args=arguments, executor="filing")

    def every(self, interval: timedelta, name: str, work: Callable[[], object]) -> None:
        """Run a task at once and then at intervals, in a thread that passes do not use."""
        seconds, now = interval.total_seconds(), self._clock.now()
        self._scheduler.add_job(
            work, "interval", id=f"every:{name}", seconds=seconds, next_run_time=now, executor="tasks"
        )

    def waits_for_thread(self, email: str) -> bool:
        """Return whether an account's pass waits for a free thread."""
        return email in self._pass_threads.waiting

    def stop(self) -> None:
        """Stop the passes at their next call or wait, and return when they have ended."""
        self._clock.stop()
        # With wait=True APScheduler holds a lock that a pass needs to remove its own job.
        self._scheduler.shutdown(wait=False)
        for threads in (self._pass_threads, self._task_threads, self._filing_threads):
            threads.shutdown(wait=True)

    def _ended(self, event: Any) -> None:
        if event.job_id in self._run_again:
            with suppress(JobLookupError):
                self._scheduler.modify_job(event.job_id, next_run_time=self._clock.now())

    def _run(self, email: str) -> None:
        self._run_again.discard(email)
        self._pass_threads.waiting.discard(email)
        try:
            self._passes.run(email, self._time_slice())
        except _TimeSliceOverError:
            self._run_again.add(email)
            return
        except StoppedError:
            return
        except SignInAgainError:
            # Only the user can help now; asking Google again is useless.
            self.remove(email)
            self._passes.forget(email)
            self._accounts.update(email, next_pass=None)
            return
        except Exception:  # noqa: S110 - Passes has logged it and stored it with the account
            pass
        next_pass = self._clock.now() + timedelta(seconds=self._interval())
        if self._accounts.update(email, next_pass=next_pass) is None:
            # A command has disconnected it.
            self.remove(email)
            self._passes.forget(email)

    def _time_slice(self) -> Watch:
        """Return a callback that ends a pass, between two steps, if its time is over and other accounts wait."""
        started = self._clock.monotonic()

        def check(_: Progress) -> None:
            if self._pass_threads.waiting and self._clock.monotonic() - started > TIME_SLICE.total_seconds():
                raise _TimeSliceOverError("Other mailboxes wait for their turn.")

        return check
