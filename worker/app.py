"""The composition root: settings in, wired objects out. Nothing else wires."""

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
    """Everything that commands and pages use, over what is kept for one seller."""

    settings: Settings
    clock: Clock
    database: Database
    sealer: Sealer
    accounts: Accounts
    block_list: BlockList
    review: Review
    passes: Passes
    jobs: Jobs
    # By many sellers: the machine's disk and its network are not theirs.
    shared: bool = False

    @property
    def scheduler(self) -> Scheduler:
        """The jobs, in a program for one seller."""
        return cast(Scheduler, self.jobs)

    def connect(self, grant: Grant) -> Account:
        """Connect the mailbox that this grant opens. Its first pass starts at once if passes run.

        Raises GmailError, and UsageError where the mailbox is connected for another seller.
        """
        email = self.recognise(grant)
        self.jobs.claim(email)
        account = self.accounts.connect(email, grant, now=self.clock.now())
        # Only now: a pass that starts in between would keep the old permission.
        self.passes.forget(account.email)
        self.jobs.add(account.email)
        return account

    def address_of(self, grant: Grant) -> tuple[str, str | None]:
        """Return the address of the mailbox that this grant opens, and by which it is connected if that is another."""
        return address_of(self.settings, self.accounts, self.clock, grant)

    def recognise(self, grant: Grant) -> str:
        """Return the address of the mailbox that this grant opens; an account whose address has changed gets it."""
        email, former = self.address_of(grant)
        if former is not None:
            self.jobs.claim(email)
            self.jobs.remove(former)
            rename(self.database, self.accounts, self.passes, former, email)
        return email

    def settings_changed(self, email: str) -> None:
        """Let new settings of an account take effect now: the next pass starts at once, and looks at the rules."""
        self.passes.recheck_rules(email)
        self.jobs.add(email)

    def decided(self, items: list[ReviewItem], decision: Decision) -> None:
        """File mail that a person decided about, as soon as Gmail takes it."""
        self.jobs.file(items, decision)

    def disconnect(self, email: str, *, undo: bool = False, days_back: int = 0) -> None:
        """Disconnect a mailbox; undo also removes our filters and labels from it.

        days_back: with undo, put the notices of the last days back into the inbox first. Raises what
        ``connections.py`` raises; the account then keeps its job.
        """
        self.jobs.remove(email)
        try:
            if undo:
                undo_rules(self.accounts, self.passes, self.clock, email, days_back=days_back)
            disconnect(self.settings, self.accounts, self.passes, email)
        except (GmailError, StorageError):
            # It is still connected: its passes go on, or say what is left to do.
            if not self.accounts.get(email).waits_for_sign_in:
                self.jobs.add(email)
            raise

    def close(self) -> None:
        """Close the connections to mailboxes and to the database."""
        self.passes.close()
        self.database.close()


def build_app(settings: Settings, clock: Clock | None = None) -> App:
    """Wire the program over its data directory, which is made if it is missing. Raises StorageError.

    clock: the machine's, unless a test has its own.
    """
    make_private_directory(settings.data_dir)
    clock = clock or SystemClock()
    # Before the sealer: a key that is there without a database is a sign of loss.
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
    """Wire the program over a database. jobs: what runs passes, None for a scheduler of this process.

    accounts, sessions: those of a host; sessions are closed by whom they belong to.
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
