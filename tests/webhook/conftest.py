"""A block list with a webhook, and who is told."""

from collections.abc import Callable
from pathlib import Path

import pytest
from receiving import KEY, URL, Now, Receiver

from worker.block_list.block_list import BlockList
from worker.sealing import Sealer
from worker.webhook import Announcements, Webhook, deliver_due


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def block_list(tmp_path: Path, now: Now) -> BlockList:
    return BlockList(tmp_path, now=now)


@pytest.fixture
def webhook(tmp_path: Path, block_list: BlockList) -> Webhook:
    webhook = Webhook(tmp_path, Sealer(KEY))
    webhook.set(URL, block_list=block_list)
    return webhook


@pytest.fixture
def announcements(tmp_path: Path) -> Announcements:
    return Announcements(tmp_path)


@pytest.fixture
def deliver(
    webhook: Webhook, block_list: BlockList, announcements: Announcements, now: Now, receiver: Receiver
) -> Callable[[], int]:
    return lambda: deliver_due(webhook, block_list, announcements, now=now, send=receiver)
