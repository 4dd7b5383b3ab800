"""The composition root: creates all objects of the program and connects them."""

from dataclasses import dataclass
from functools import partial
from typing import cast

from worker.block_list.block_list import BlockList
from worker.block_list.review import Review, ReviewItem
from worker.clock import Clock, SystemClock
from worker.database import Database, open_database
from worker.errors import GmailError, StorageError
from worker.files import make_private_directory
from worker.gmail.credentials import Grant
from worker.gmail.sessions import Sessions
from worker.mailbox_pass.connections import address_of, disconnect, rename, undo_rules
from worker.mailbox_pass.decisions import Decision
from worker.mailbox_pass.jobs import Jobs
from worker.mailbox_pass.passes import Passes
from worker.mailbox_pass.scheduler import Scheduler
from worker.owner.accounts import Account, Accounts
from worker.owner.preferences import sync_interval
from worker.sealing import Sealer, open_sealer
from worker.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The objects that commands and pages use, for one seller. shared: many sellers use the same machine."""

    settings: Settings
    clock: Clock
    database: Database
    sealer: Sealer
    accounts: Accounts
    block_list: BlockList
    review: Review
    passes: Passes
    jobs: Jobs
    shared: bool = False

    @property
    def scheduler(self) -> Scheduler:
        """The jobs, in a program for one seller."""
        return cast(Scheduler, self.jobs)

    def connect(self, grant: Grant) -> Account:
        """Connect the mailbox that this grant opens. If passes run, its first pass starts at once.

        Raises GmailError, and UsageError if the mailbox is connected for another seller.
        """
        email = self.recognise(grant)
        self.jobs.claim(email)
        account = self.accounts.connect(email, grant, now=self.clock.now())
        # After ``connect``: a pass that started earlier would keep the old permission.
        self.passes.forget(account.email)
        self.jobs.add(account.email)
        return account

    def address_of(self, grant: Grant) -> tuple[str, str | None]:
        """Return the mailbox's current address, and its former one if it is connected under that."""
        return address_of(self.settings, self.accounts, self.clock, grant)

    def recognise(self, grant: Grant) -> str:
        """Return the mailbox's current address; an account with its former address is renamed."""
        email, former = self.address_of(grant)
        if former is not None:
            self.jobs.claim(email)
            self.jobs.remove(former)
            rename(self.database, self.accounts, self.passes, former, email)
        return email

    def settings_changed(self, email: str) -> None:
        """Apply new settings of an account now: its next pass starts at once and checks the rules."""
        self.passes.recheck_rules(email)
        self.jobs.add(email)

    def decided(self, items: list[ReviewItem], decision: Decision) -> None:
        """File mail that a person decided about, in the background."""
        self.jobs.file(items, decision)

    def disconnect(self, email: str, *, undo: bool = False, days_back: int = 0) -> None:
        """Disconnect a mailbox; undo also removes our filters and labels from it.

        days_back: with undo, first move the notices of so many days back to the inbox. Raises the errors of
        ``connections.py``; the account then keeps its job.
        """
        self.jobs.remove(email)
        try:
            if undo:
                undo_rules(self.accounts, self.passes, self.clock, email, days_back=days_back)
            disconnect(self.settings, self.accounts, self.passes, email)
        except (GmailError, StorageError):
            # It is still connected: its passes continue, or report what to do.
            if not self.accounts.get(email).waits_for_sign_in:
                self.jobs.add(email)
            raise

    def close(self) -> None:
        self.passes.close()
        self.database.close()


def build_app(settings: Settings, clock: Clock | None = None) -> App:
    """Build the program for a data directory, which is created if it is missing. Raises StorageError."""
    make_private_directory(settings.data_dir)
    clock = clock or SystemClock()
    # Before the sealer creates the key: a key without a database means that the database was lost.
    database = open_database(settings.data_dir)
    return wire(settings, clock, database, open_sealer(settings.data_dir, settings.secret_key))


def wire(
    settings: Settings,
    clock: Clock,
    database: Database,
    sealer: Sealer,
    *,
    accounts: Accounts | None = None,
    sessions: Sessions | None = None,
    jobs: Jobs | None = None,
    shared: bool = False,
) -> App:
    """Build the program for a database. jobs: runs passes, None for a scheduler of this process.

    accounts, sessions: for a host, which closes the sessions itself.
    """
    accounts = accounts or Accounts(database, sealer)
    block_list = BlockList(database, now=clock.now)
    review = Review(database)
    passes = Passes(settings, database, accounts, block_list, review, clock, sessions)
    interval = partial(sync_interval, settings, database)
    return App(
        settings=settings,
        clock=clock,
        database=database,
        sealer=sealer,
        accounts=accounts,
        block_list=block_list,
        review=review,
        passes=passes,
        jobs=jobs or Scheduler(passes, accounts, review, clock, interval=interval),
        shared=shared,
    )
