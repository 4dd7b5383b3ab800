"""Passes of all accounts. Each account keeps one mailbox connection while the program runs.

An error ends a pass, never the program: ``outcomes.py`` stores it as the account's state and problem.
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
from worker.owner.accounts import BEGINNING, Accounts
from worker.settings import Settings

log = logging.getLogger(__name__)


class _Open(NamedTuple):
    grant: Grant
    mailbox: Mailbox
    sync: Sync
    resolver: Resolver


class Passes:
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
        self._connections: dict[str, _Open] = {}
        self._sessions = sessions or Sessions()
        self._own_sessions = sessions is None
        self._outcomes = Outcomes(accounts, clock)
        self._lock = Lock()

    def run(self, email: str, watch: Watch = unwatched, *, existing: bool = False) -> PassReport:
        """Run one pass and store its outcome with the account. Raises the error that ended it, also StoppedError.

        existing: search the whole mailbox again.
        """
        if existing:
            self._accounts.update(email, search_from=BEGINNING)
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
        stored_at: datetime | None = None

        def record(progress: Progress) -> None:
            nonlocal stored_at
            now = self._clock.now()
            if is_due(stored_at, STORED_EVERY, now):
                stored_at = now
                # In the database, so that every process shows it and agrees on whether passes are late.
                self._accounts.update(email, progress_at=now, progress=stored(progress))
            watch(progress)

        connection = self._open(email)
        report = connection.sync.run_pass(record)
        if resolved := connection.resolver.resolve_some():
            log.info("Found the buyers of orders in the mail.", extra=fields(account=email, orders=resolved))
        return report

    def preview(self, email: str, watch: Watch = unwatched, *, existing: bool = False) -> Preview:
        """Return what a pass over the account would do, without doing it. Raises GmailError."""
        return self._open(email).sync.preview(watch, existing=existing)

    def mailbox(self, email: str) -> Mailbox:
        return self._open(email).mailbox

    def spent(self, email: str) -> int:
        """Return how many units of quota the account's connection has spent, 0 without one."""
        connection = self._connections.get(email)
        return connection.mailbox.quota.spent if connection else 0

    def unexplained(self, email: str) -> int:
        """Return the account's ``Queue.unexplained`` after the last pass here, 0 without a connection."""
        connection = self._connections.get(email)
        return connection.sync.queue.unexplained if connection else 0

    def counted(self) -> Mapping[tuple[str, str], int]:
        """Return counters since the start, by (name, label).

        The names: ``passes`` by outcome, ``notices`` by verdict, ``repairs``, ``units`` of quota, and ``refusals``.
        """
        totals = self._outcomes.counted.copy()
        for connection in list(self._connections.values()):
            totals += _spent(connection.mailbox)
        return totals

    def recheck_rules(self, email: str) -> None:
        """Make the next pass over the account check labels, filters and trusted addresses, even if not due."""
        if (connection := self._connections.get(email)) is not None:
            connection.sync.recheck_rules()

    def forget(self, email: str) -> None:
        """Close the account's connection. The next pass opens a new one with the permission stored at that time."""
        with self._lock:
            connection = self._connections.pop(email, None)
        if connection is not None:
            self._outcomes.counted += _spent(connection.mailbox)
            connection.mailbox.close()

    def close(self) -> None:
        for email in list(self._connections):
            self.forget(email)
        if self._own_sessions:
            self._sessions.close()

    def _open(self, email: str) -> _Open:
        grant = self._accounts.grant(email)
        connection = self._connections.get(email)
        if connection is not None and connection.grant != grant:  # another process has stored a new one
            self.forget(email)
        with self._lock:
            if email not in self._connections:
                self._connections[email] = self._connect(email, grant)
            return self._connections[email]

    def _connect(self, email: str, grant: Grant) -> _Open:
        mailbox = open_mailbox(self._settings, self._clock, grant, self._sessions)
        context = self._context(email=email, mailbox=mailbox)
        return _Open(grant, mailbox, Sync(context), Resolver(context))


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
