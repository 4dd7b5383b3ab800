"""Passes of all accounts. Each account has one mailbox connection for as long as the program runs.

An error ends a pass, never the program: ``outcomes.py`` makes it the account's state and one sentence for the seller.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from threading import Lock
from typing import NamedTuple

from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.clock import Clock, is_due
from worker.database import Database
from worker.errors import BuyerblockError, StoppedError
from worker.events import fields
from worker.gmail.credentials import Grant
from worker.gmail.mailbox import Mailbox
from worker.gmail.sessions import Sessions
from worker.mailbox_pass.context import Context
from worker.mailbox_pass.outcomes import Outcomes
from worker.mailbox_pass.progress import STORED_EVERY, Progress, Watch, stored, unwatched
from worker.mailbox_pass.report import PassReport, Preview
from worker.mailbox_pass.resolve import Resolver
from worker.mailbox_pass.sync import Sync
from worker.owner.accounts import EVER, Accounts
from worker.settings import Settings

log = logging.getLogger(__name__)


class _Running(NamedTuple):
    grant: Grant
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
        sessions: Sessions | None = None,
    ) -> None:
        self._settings = settings
        self._accounts = accounts
        self._clock = clock
        self._context = partial(
            Context, database=database, accounts=accounts, block_list=block_list, review=review, clock=clock
        )
        self._running: dict[str, _Running] = {}
        self._sessions = sessions or Sessions()
        self._own_sessions = sessions is None
        self._outcomes = Outcomes(accounts, clock)
        self._lock = Lock()

    def run(self, email: str, watch: Watch = unwatched, *, existing: bool = False) -> PassReport:
        """Run one pass; its outcome becomes the account's state. Raises what ended it, StoppedError included.

        existing: search the whole mailbox again.
        """
        if existing:
            self._accounts.update(email, search_from=EVER)
        try:
            report = self._run(email, watch)
        except StoppedError:
            raise
        except BuyerblockError as error:
            self._outcomes.failed(email, error)
            raise
        except Exception:
            self._outcomes.failed_unexpectedly(email)
            raise
        self._outcomes.succeeded(email, report)
        return report

    def _run(self, email: str, watch: Watch) -> PassReport:
        at: datetime | None = None

        def record(progress: Progress) -> None:
            nonlocal at
            now = self._clock.now()
            if is_due(at, STORED_EVERY, now):
                at = now
                # Every process shows it, and comes to the same answer whether passes are late.
                self._accounts.update(email, progress_at=now, progress=stored(progress))
            watch(progress)

        running = self._open(email)
        report = running.sync.run_pass(record)
        if resolved := running.resolver.resolve_some():
            log.info("Found the buyers of orders in the mail.", extra=fields(account=email, orders=resolved))
        return report

    def preview(self, email: str, watch: Watch = unwatched, *, existing: bool = False) -> Preview:
        """Return what a pass over the account would do, and do nothing. Raises GmailError."""
        return self._open(email).sync.preview(watch, existing=existing)

    def mailbox(self, email: str) -> Mailbox:
        """Return the account's mailbox connection."""
        return self._open(email).mailbox

    def spent(self, email: str) -> int:
        """Return how many units of quota the account's connection has spent, 0 without one."""
        running = self._running.get(email)
        return running.mailbox.quota.spent if running else 0

    def unexplained(self, email: str) -> int:
        """Return how many mails the last pass here left in the account's queue because they will not be found there."""
        running = self._running.get(email)
        return running.sync.queue.unexplained if running else 0

    def counted(self) -> Mapping[tuple[str, str], int]:
        """Return what happened since the start: (what, which) to how often.

        What is ``passes`` by outcome, ``notices`` by verdict, ``repairs``, ``units`` of quota, and ``refusals``.
        """
        totals = self._outcomes.counted.copy()
        for running in list(self._running.values()):
            totals += _spent(running.mailbox)
        return totals

    def look_at_rules(self, email: str) -> None:
        """Have the next pass over the account look at labels, filters and trusted addresses, whenever it did last."""
        if (running := self._running.get(email)) is not None:
            running.sync.look_at_rules()

    def forget(self, email: str) -> None:
        """Close the account's connection; the next pass opens a new one, with the permission that is stored then."""
        with self._lock:
            running = self._running.pop(email, None)
        if running is not None:
            self._outcomes.counted += _spent(running.mailbox)
            running.mailbox.close()

    def close(self) -> None:
        for email in list(self._running):
            self.forget(email)
        if self._own_sessions:
            self._sessions.close()

    def _open(self, email: str) -> "_Running":
        grant = self._accounts.grant(email)
        running = self._running.get(email)
        if running is not None and running.grant != grant:  # another process has stored a new one
            self.forget(email)
        with self._lock:
            if email not in self._running:
                self._running[email] = self._connected(email, grant)
            return self._running[email]

    def _connected(self, email: str, grant: Grant) -> "_Running":
        mailbox = open_mailbox(self._settings, self._clock, grant, self._sessions)
        context = self._context(email=email, mailbox=mailbox)
        return _Running(grant, mailbox, Sync(context), Resolver(context))


def open_mailbox(settings: Settings, clock: Clock, grant: Grant, sessions: Sessions) -> Mailbox:
    """Return a connection to the mailbox that a grant opens; close it after use."""
    return Mailbox(
        grant,
        gmail_url=settings.gmail_url,
        units_per_minute=settings.units_per_minute,
        clock=clock,
        sessions=sessions,
    )


def _spent(mailbox: Mailbox) -> Counter[tuple[str, str]]:
    return Counter({("units", ""): mailbox.quota.spent, ("refusals", ""): mailbox.quota.refused})
