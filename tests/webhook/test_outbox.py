"""What the webhook is told of: every block and unblock, and nothing else."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from receiving import ALIAS, KEY, ORDER, URL, Now, Receiver, alias

from worker.block_list.block_list import BlockList
from worker.database import Database, open_database
from worker.database.database import Event
from worker.database.sqlite_file import rename_lineage
from worker.sealing import Sealer
from worker.webhook import Announcements, Webhook, deliver_due
from worker.webhook.hook import newest_position
from worker.webhook.outbox import MAX_EVENTS


def test_an_order_that_finds_its_buyer_is_not_told_as_unblocked(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ORDER], by="test")
    deliver()
    block_list.resolve(ORDER, ALIAS, by="test")
    deliver()
    assert receiver.events == [("blocked", ORDER), ("blocked", ALIAS)]
    assert receiver.taken[1]["data"]["events"][0]["block"]["orders"] == [ORDER]


def test_an_import_that_is_taken_back_is_told_as_unblocked(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    made = block_list.apply_import(block_list.preview_import(ALIAS.encode()), by="test")
    block_list.undo_import(made.id, by="test")
    deliver()
    assert receiver.events == [("unblocked", ALIAS)]  # blocked for a moment that is over


def test_a_change_that_blocks_nobody_new_is_not_told_but_done_with(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    deliver()
    block_list.block([ALIAS], note="a better note", by="test")
    assert deliver() == 0
    assert receiver.tries == 1
    assert webhook.existing().position == newest_position(webhook.database)


def test_many_changes_go_in_messages_of_bounded_size(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    keys = [alias(number) for number in range(MAX_EVENTS * 2 + 50)]
    block_list.block(keys, by="test")
    assert deliver() == 3
    assert [len(message["data"]["events"]) for message in receiver.taken] == [100, 100, 50]
    assert receiver.events == [("blocked", key) for key in keys]
    assert deliver() == 0


def test_a_database_that_is_older_than_the_position_is_told_as_replaced(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    hook = webhook.existing()
    webhook.update(hook, replace(hook, position=replace(hook.position, sequence=7)))
    assert [deliver(), deliver()] == [1, 0]
    assert [message["type"] for message in receiver.taken] == ["blocks.replaced"]
    assert webhook.existing().position == newest_position(webhook.database)


def test_what_was_sent_is_not_read_again(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        block_list.block([alias(number)], by="test")
    deliver()
    read: list[int] = []
    events = webhook.database.events

    def noted(after: int) -> Iterator[Event]:
        read.append(after)
        return events(after)

    monkeypatch.setattr(webhook.database, "events", noted)
    block_list.block([alias(3)], by="test")
    deliver()
    assert read == [3]


def test_a_restored_list_is_told_as_replaced(tmp_path: Path, now: Now, receiver: Receiver) -> None:
    def open_all() -> tuple[Database, BlockList, Callable[[], int]]:
        database = open_database(tmp_path)
        block_list, webhook = BlockList(database, now=now), Webhook(database, Sealer(KEY))
        announcements = Announcements(database)
        return (
            database,
            block_list,
            lambda: deliver_due(webhook, block_list, announcements, now=now, send=receiver),
        )

    database, block_list, deliver = open_all()
    Webhook(database, Sealer(KEY)).set(URL)
    block_list.block([ALIAS], by="test")
    deliver()
    copy = tmp_path / "copy"
    database.backup(copy)
    for number in range(2):
        block_list.block([alias(number)], by="test")
        database.close()
        rename_lineage(copy)
        shutil.copy(copy, tmp_path / "buyerblock.db")
        receiver.taken.clear()
        database, block_list, deliver = open_all()
        assert [deliver(), deliver()] == [1, 0]
        assert [message["type"] for message in receiver.taken] == ["blocks.replaced"]
        receiver.taken.clear()
        block_list.block([alias(10 + number)], by="test")
        deliver()
        assert receiver.events == [("blocked", alias(10 + number))]
    database.close()
