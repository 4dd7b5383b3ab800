"""What the parts of a pass share."""

from dataclasses import dataclass

from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.clock import Clock
from worker.database import Database
from worker.gmail.mailbox import Mailbox
from worker.owner.accounts import Accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """An account, its open mailbox, and where results are stored."""

    email: str
    mailbox: Mailbox
    database: Database
    accounts: Accounts
    block_list: BlockList
    review: Review
    clock: Clock
