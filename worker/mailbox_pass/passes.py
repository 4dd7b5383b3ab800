"""Passes of all accounts: what keeps running between passes, and what an error means for the account.

Each account has one mailbox connection for as long as the program runs. An error ends a pass, never the
program: it becomes the account's state and one sentence for the seller.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import NamedTuple

from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.clock import Clock
from worker.database import Database
from worker.errors import BuyerblockError, GmailError, SignInAgainError, StoppedError, TransientError
from worker.events import fields
from worker.gmail.mailbox import Mailbox
from worker.mailbox_pass.judged import JudgedIds
from worker.mailbox_pass.progress import Progress, Watch, unwatched
from worker.mailbox_pass.queue import Queue
from worker.mailbox_pass.report import PassReport, Preview
from worker.mailbox_pass.resolve import Resolver
from worker.mailbox_pass.sync import Sync
from worker.owner.accounts import EVER, Accounts
from worker.problems import Cause, MailboxProblem
from worker.settings import Settings

log = logging.getLogger(__name__)


class _Running(NamedTuple):
    mailbox: Mailbox
    sync: Sync
    resolver: Resolver


class Passes:
    """Runs passes, for the scheduler and for the command line alike."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        accounts: Accounts,
        block_list: BlockList,
        review: Review,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._database = database
        self._accounts = accounts
        self._block_list = block_list
        self._review = review
        self._clock = clock
        self._running: dict[str, _Running] = {}
        self._counted: Counter[tuple[str, str]] = Counter()
        self._progress: dict[str, Progress] = {}
        self._logged: dict[str, MailboxProblem] = {}
        self._lock = Lock()

    def run(self, email: str, watch: Watch = unwatched, *, existing: bool = False) -> PassReport:
        """Run one pass; its outcome becomes the account's state. Raises what ended it, StoppedError included.

        existing: search the whole mailbox again.
        """
        if existing:
            self._accounts.update(email, search_from=EVER)

        def tell(progress: Progress) -> None:
            self._progress[email] = progress
            watch(progress)

        try:
            running = self._open(email)
            report = running.sync.run_pass(tell)
            resolved = running.resolver.resolve_some()
        except StoppedError:
            raise
        except SignInAgainError as error:
            self._fail(email, "sign_in_again", self._announced_end(email) or error.problem)
            raise
        except TransientError as error:
            self._fail(email, "problem", replace(error.problem, tried_again=True))
            raise
        except GmailError as error:
            self._fail(email, "problem", error.problem)
            raise
        except BuyerblockError as error:
            self._fail(email, "problem", MailboxProblem(Cause.STORAGE, {"sentence": str(error)}))
            raise
        finally:
            self._progress.pop(email, None)
        self._logged.pop(email, None)
        self._count(report)
        self._accounts.update(email, state="problem" if report.advice else "ok", problem=report.advice)
        if resolved:
            log.info("Found the buyers of orders in the mail.", extra=fields(account=email, orders=resolved))
        # A year has half a million passes with nothing to do.
        level = logging.INFO if report.did_something else logging.DEBUG
        log.log(level, "A pass ended.", extra=fields(account=email, **report.as_fields()))
        return report

    def preview(self, email: str, watch: Watch = unwatched, *, existing: bool = False) -> Preview:
        """Return what a pass over the account would do, and do nothing. Raises GmailError."""
        return self._open(email).sync.preview(watch, existing=existing)

    def progress(self, email: str) -> Progress | None:
        """Return how far the pass under way is, or None."""
        return self._progress.get(email)

    def mailbox(self, email: str) -> Mailbox:
        """Return the account's mailbox connection."""
        return self._open(email).mailbox

    def spent(self, email: str) -> int:
        """Return how many units of quota the account's connection has spent, 0 without one."""
        running = self._running.get(email)
        return running.mailbox.quota.spent if running else 0

    def counted(self) -> Mapping[tuple[str, str], int]:
        """Return what happened since the start: (what, which) to how often.

        What is ``passes`` by outcome, ``notices`` by verdict, ``repairs``, ``units`` of quota, and ``refusals``.
        """
        totals = self._counted.copy()
        for running in list(self._running.values()):
            totals += _spent(running.mailbox)
        return totals

    def look_at_rules(self, email: str) -> None:
        """Have the next pass over the account look at labels, filters and trusted addresses, whenever it did last."""
        if (running := self._running.get(email)) is not None:
            running.sync.look_at_rules()

    def forget(self, email: str) -> None:
        """Close the account's connection; the next pass opens a new one, with the permission of then."""
        with self._lock:
            running = self._running.pop(email, None)
        if running is not None:
            self._counted += _spent(running.mailbox)
            running.mailbox.close()

    def close(self) -> None:
        for email in list(self._running):
            self.forget(email)

    def _open(self, email: str) -> "_Running":
        with self._lock:
            if email not in self._running:
                self._running[email] = self._connected(email)
            return self._running[email]

    def _connected(self, email: str) -> "_Running":
        settings, clock = self._settings, self._clock
        mailbox = Mailbox(
            self._accounts.grant(email),
            gmail_url=settings.gmail_url,
            units_per_minute=settings.units_per_minute,
            clock=clock,
        )
        judged = JudgedIds(self._database, email)
        queue = Queue(
            email,
            mailbox=mailbox,
            accounts=self._accounts,
            block_list=self._block_list,
            review=self._review,
            judged=judged,
            clock=clock,
        )
        sync = Sync(email, mailbox=mailbox, accounts=self._accounts, queue=queue, judged=judged, clock=clock)
        resolver = Resolver(
            email,
            mailbox=mailbox,
            block_list=self._block_list,
            database=self._database,
            units_per_minute=settings.units_per_minute,
            clock=clock,
        )
        return _Running(mailbox, sync, resolver)

    def _announced_end(self, email: str) -> MailboxProblem | None:
        """Return the problem if Google had said at the sign-in that it would end now."""
        ends = self._accounts.get(email).sign_in_ends
        if ends is None or self._clock.now() < ends:
            return None
        return MailboxProblem(Cause.SIGN_IN_IN_TESTING, {"ends": f"{ends:%Y-%m-%d}"})

    def _count(self, report: PassReport) -> None:
        self._counted["passes", "good"] += 1
        self._counted["notices", "opt_out"] += report.opt_outs
        self._counted["notices", "suspect"] += report.suspects
        self._counted["notices", "unrelated"] += report.unrelated
        self._counted["repairs", ""] += len(report.steps)

    def _fail(self, email: str, state: str, problem: MailboxProblem) -> None:
        self._counted["passes", state] += 1
        # An outage of a day is one line, not one for each of its 1,440 passes.
        level = logging.DEBUG if problem == self._logged.get(email) else logging.WARNING
        self._logged[email] = problem
        log.log(level, "A pass ended early: %s", problem, extra=fields(account=email, state=state))
        self._accounts.update(email, state=state, problem=problem, last_pass=self._clock.now())


def _spent(mailbox: Mailbox) -> Counter[tuple[str, str]]:
    return Counter({("units", ""): mailbox.quota.spent, ("refusals", ""): mailbox.quota.refused})
