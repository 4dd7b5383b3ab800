"""What the webhook is told of: every block and unblock, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from receiving import ALIAS, KEY, ORDER, URL, Now, Receiver, alias

from worker.block_list.block_list import BlockList
from worker.sealing import Sealer
from worker.webhook import Announcements, Webhook, deliver_due, standing
from worker.webhook.outbox import EVENTS_AT_ONCE


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
    assert webhook.existing().place == standing(block_list)


def test_many_changes_go_in_messages_of_bounded_size(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    keys = [alias(number) for number in range(EVENTS_AT_ONCE * 2 + 50)]
    block_list.block(keys, by="test")
    assert deliver() == 3
    assert [len(message["data"]["events"]) for message in receiver.taken] == [100, 100, 50]
    assert receiver.events == [("blocked", key) for key in keys]
    assert deliver() == 0


def test_a_restored_list_is_told_as_replaced(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver, tmp_path: Path
) -> None:
    block_list.block([ALIAS], by="test")
    backup = tmp_path / "backup"
    backup.write_bytes(b"".join(block_list.backup()))
    for number in range(2):
        block_list.block([alias(number)], by="test")
        block_list.restore(backup)
        deliver()
        assert [message["type"] for message in receiver.taken] == ["blocks.replaced"]
        receiver.taken.clear()
        assert deliver() == 0
        block_list.block([alias(10 + number)], by="test")
        deliver()
        assert receiver.events == [("blocked", alias(10 + number))]
        receiver.taken.clear()


def test_a_trail_with_a_gap_is_told_as_replaced(
    deliver: Callable[[], int],
    webhook: Webhook,
    block_list: BlockList,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(3):
        block_list.block([alias(number)], by="test")
    lines = list(block_list.audit())
    for left in ([lines[0], lines[2]], lines[:2], lines[1:], []):
        hook = webhook.get()
        assert hook is not None
        with monkeypatch.context() as patch:
            patch.setattr(BlockList, "audit", lambda _, left=left: iter(left))
            deliver()
        assert receiver.taken[-1]["type"] == "blocks.replaced"
        told = webhook.get()
        assert told is not None
        assert told.place == standing(block_list)
        webhook.update(told, hook)


def test_changes_of_before_a_compaction_are_told(
    tmp_path: Path, announcements: Announcements, now: Now, receiver: Receiver
) -> None:
    block_list = BlockList(tmp_path, now=now, compact_at=500)
    webhook = Webhook(tmp_path, Sealer(KEY))
    webhook.set(URL, block_list=block_list)
    keys = [alias(number) for number in range(30)]
    for key in keys:
        block_list.block([key], by="test")
    deliver_due(webhook, BlockList(tmp_path), announcements, now=now, send=receiver)
    assert receiver.events == [("blocked", key) for key in keys]
