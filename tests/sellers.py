"""A seller with a mailbox at the stand-in for Google, and the program connected to it by a real sign-in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from clocks import START, FakeClock

from oauth_web.demo.sandbox import Sandbox
from signing_in import settings_at, sign_in
from worker.app import App, build_app
from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.database import Database, open_database
from worker.gmail.credentials import Grant
from worker.gmail.mailbox import Mailbox
from worker.gmail.sessions import Sessions
from worker.mailbox_pass.context import Context
from worker.mailbox_pass.report import PassReport
from worker.mailbox_pass.sync import Sync
from worker.owner.accounts import Account, Accounts
from worker.sealing import Sealer

EMAIL = "seller@gmail.com"
# The address that the sample forwards were sent to.
PERSONAL_ADDRESS = "seller+optouts-4f9a2c@gmail.com"
SAMPLES = Path(__file__).parent / "samples"
EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))


def sample(name: str) -> bytes:
    """Return a sample mail, such as ``opt_out/en_com.eml``."""
    return (SAMPLES / name).read_bytes()


@dataclass
class Seller:
    """The program's parts for one account, over one data directory; ``restart`` is what a kill leaves behind."""

    google: Sandbox
    clock: FakeClock
    folder: Path
    grant: Grant
    email: str = EMAIL
    units_per_minute: int = 6000
    database: Database = field(init=False)
    accounts: Accounts = field(init=False)
    block_list: BlockList = field(init=False)
    review: Review = field(init=False)
    sessions: Sessions = field(init=False)
    mailbox: Mailbox = field(init=False)
    sync: Sync = field(init=False)

    def __post_init__(self) -> None:
        self._open()
        self.accounts.connect(self.email, self.grant, now=self.clock.now())
        self.accounts.update(self.email, personal_address=PERSONAL_ADDRESS)

    def _open(self) -> None:
        self.database = open_database(self.folder)
        self.accounts = Accounts(self.database, Sealer("k" * 32))
        self.block_list = BlockList(self.database, now=self.clock.now)
        self.review = Review(self.database)
        self.sessions = Sessions()
        self.mailbox = self.another_mailbox()
        self.sync = Sync(self.context)

    def another_mailbox(self) -> Mailbox:
        """Connect to the mailbox once more."""
        return Mailbox(
            self.grant,
            gmail_url=self.google.url,
            units_per_minute=self.units_per_minute,
            clock=self.clock,
            sessions=self.sessions,
        )

    def restart(self) -> None:
        """Begin anew from what is on disk and in the mailbox."""
        self.close()
        self._open()

    def close(self) -> None:
        self.mailbox.close()
        self.sessions.close()
        self.database.close()

    @property
    def context(self) -> Context:
        return Context(
            email=self.email,
            mailbox=self.mailbox,
            database=self.database,
            accounts=self.accounts,
            block_list=self.block_list,
            review=self.review,
            clock=self.clock,
        )

    @property
    def account(self) -> Account:
        return self.accounts.get(self.email)

    def run_pass(self) -> PassReport:
        return self.sync.run_pass()

    def receive(self, name: str, **options: Any) -> str:
        """Have a sample delivered now; return its id."""
        return self.google.deliver(self.email, sample(name), received_at=self.clock.now(), **options)

    def labels(self, message_id: str) -> set[str]:
        """Return the names of a message's labels."""
        return set(self.google.mailbox(self.email)[message_id])

    def blocked(self) -> set[str]:
        """Return the keys on the block list."""
        return {block.key for block in self.block_list.blocks()}

    def export(self) -> bytes:
        """Return the JSON export, as of one fixed moment."""
        return b"".join(self.block_list.export(exported_at=START))

    def later(self, **span: float) -> None:
        """Let time go by."""
        self.clock.advance(timedelta(**span).total_seconds())


@contextmanager
def connected(google: Sandbox, clock: FakeClock, folder: Path, **options: Any) -> Iterator[Seller]:
    """Sign in and yield the seller, connected, before the first pass."""
    seller = Seller(google, clock, folder, sign_in(google, folder, EMAIL), **options)
    try:
        yield seller
    finally:
        seller.close()


@contextmanager
def running(google: Sandbox, folder: Path, *emails: str, clock: FakeClock | None = None) -> Iterator[App]:
    """Sign these users in and yield the whole program, wired as ``serve`` has it, its scheduler not started."""
    app = build_app(settings_at(google, folder), clock)
    for email in emails:
        app.connect(sign_in(google, folder, email))
    yield app
    app.close()
