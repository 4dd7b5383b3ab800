"""A block list with a webhook, and who is told."""

from collections.abc import Callable

import pytest
from receiving import KEY, URL, Now, Receiver

from worker.block_list.block_list import BlockList
from worker.database import Database
from worker.sealing import Sealer
from worker.webhook import Announcements, Webhook, deliver_due


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def block_list(database: Database, now: Now) -> BlockList:
    return BlockList(database, now=now)


@pytest.fixture
def webhook(database: Database) -> Webhook:
    webhook = Webhook(database, Sealer(KEY))
    webhook.set(URL)
    return webhook


@pytest.fixture
def announcements(database: Database) -> Announcements:
    return Announcements(database)


@pytest.fixture
def deliver(
    webhook: Webhook, block_list: BlockList, announcements: Announcements, now: Now, receiver: Receiver
) -> Callable[[], int]:
    return lambda: deliver_due(webhook, block_list, announcements, now=now, send=receiver)
