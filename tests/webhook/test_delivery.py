"""The webhook is told in order, at least once, for a day, and then nothing is lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from receiving import ALIAS, KEY, ORDER, START, URL, Now, Receiver, alias

from worker.block_list.block_list import BlockList
from worker.database import Database, format_time
from worker.sealing import Sealer
from worker.webhook import Announcements, Message, Webhook, deliver_due


def test_blocks_and_unblocks_are_told_in_order(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS, ORDER], note="asked", by="test")
    block_list.unblock(ALIAS, by="test")
    block_list.block([ALIAS, alias(1)], by="test")
    assert deliver() == 1
    assert receiver.events == [
        ("blocked", ALIAS),
        ("blocked", ORDER),
        ("unblocked", ALIAS),
        ("blocked", ALIAS),
        ("blocked", alias(1)),
    ]
    message = receiver.taken[0]
    assert message["type"] == "blocks.changed"
    first = message["data"]["events"][0]
    assert first["at"] == message["timestamp"] == "2026-11-23T10:00:00Z"
    assert (first["block"]["address"], first["block"]["note"]) == (ALIAS, "asked")
    assert len({event["id"] for event in message["data"]["events"]}) == 5


def test_what_was_told_is_not_told_again(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    assert [deliver(), deliver()] == [1, 0]
    block_list.block([alias(1)], by="test")
    assert [deliver(), deliver()] == [1, 0]
    assert receiver.events == [("blocked", ALIAS), ("blocked", alias(1))]


def test_what_was_there_before_is_not_told(
    database: Database, block_list: BlockList, announcements: Announcements, now: Now, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    webhook = Webhook(database, Sealer(KEY))
    webhook.set(URL)
    assert deliver_due(webhook, block_list, announcements, now=now, send=receiver) == 0
    block_list.unblock(ALIAS, by="test")
    assert deliver_due(webhook, block_list, announcements, now=now, send=receiver) == 1
    assert receiver.events == [("unblocked", ALIAS)]


def test_without_a_webhook_nothing_is_sent(
    database: Database, block_list: BlockList, announcements: Announcements, now: Now, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    assert deliver_due(Webhook(database, Sealer(KEY)), block_list, announcements, now=now, send=receiver) == 0
    assert receiver.tries == 0


def test_a_failure_in_the_middle_goes_on_there(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    def fail_at_the_second() -> None:
        receiver.problem = "status 500" if receiver.tries == 2 else ""

    keys = [alias(number) for number in range(250)]
    block_list.block(keys, by="test")
    receiver.meanwhile = fail_at_the_second
    assert deliver() == 1
    assert deliver() == 0  # not due yet
    now.pass_by(seconds=5)
    block_list.unblock(keys[0], by="test")
    assert deliver() == 2
    assert receiver.events == [*(("blocked", key) for key in keys), ("unblocked", keys[0])]


def test_a_message_whose_success_was_not_stored_is_sent_again_alike(
    webhook: Webhook,
    block_list: BlockList,
    announcements: Announcements,
    receiver: Receiver,
    now: Now,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    block_list.block([ALIAS], by="test")
    with monkeypatch.context() as patch:
        patch.setattr(Webhook, "update", killed)
        with pytest.raises(KeyboardInterrupt):
            deliver_due(webhook, block_list, announcements, now=now, send=receiver)
    now.pass_by(hours=1)
    deliver_due(webhook, block_list, announcements, now=now, send=receiver)
    assert receiver.taken[0] == receiver.taken[1]
    assert receiver.ids[0] == receiver.ids[1]


def test_a_message_that_has_grown_since_has_another_id(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    before = webhook.get()
    block_list.block([ALIAS], by="test")
    deliver()
    after = webhook.get()
    assert before is not None
    assert after is not None
    webhook.update(after, before)  # as if the answer had been lost
    block_list.block([alias(1)], by="test")
    now.pass_by(minutes=1)
    deliver()
    assert receiver.ids[0] != receiver.ids[1]
    assert receiver.taken[0]["data"]["events"][0]["id"] == receiver.taken[1]["data"]["events"][0]["id"]


def test_failures_are_tried_again_ever_later_for_a_day_and_then_paused(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    block_list.block([ALIAS], by="test")
    receiver.problem = "shop.example answered with status 500."
    moments = []
    for _ in range(3 * 24 * 60):
        tries = receiver.tries
        deliver()
        if receiver.tries > tries:
            moments.append((now.moment - START).total_seconds())
        now.pass_by(minutes=1)
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert waits[:4] == [60, 60, 60, 60]  # 5, 10, 20, 40 seconds, and a look once a minute
    assert waits == sorted(waits)
    assert waits[-1] == 3600
    assert 24 * 3600 <= moments[-1] <= 25 * 3600
    hook = webhook.get()
    assert hook is not None
    assert (hook.paused, hook.problem) == (True, receiver.problem)


def test_a_paused_webhook_goes_on_where_it_stopped(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    block_list.block([ALIAS], by="test")
    receiver.problem = "status 500"
    while not webhook.existing().paused:
        deliver()
        now.pass_by(hours=1)
    receiver.problem = ""
    now.pass_by(days=30)
    block_list.block([alias(1)], by="test")
    assert deliver() == 0
    webhook.resume()
    assert deliver() == 1
    assert receiver.events == [("blocked", ALIAS), ("blocked", alias(1))]
    hook = webhook.get()
    assert hook is not None
    assert (hook.failures, hook.problem, hook.paused) == (0, "", False)


def test_a_day_that_was_slept_through_does_not_pause_it(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    block_list.block([ALIAS], by="test")
    receiver.problem = "shop.example cannot be reached: Network is unreachable."
    deliver()
    now.pass_by(days=7)
    deliver()
    receiver.problem = ""
    now.pass_by(minutes=1)
    assert deliver() == 1


def test_a_clock_that_was_set_back_does_not_keep_it_waiting(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    block_list.block([ALIAS], by="test")
    receiver.problem = "status 500"
    deliver()
    receiver.problem = ""
    now.pass_by(days=-365)
    assert deliver() == 1


# --- beside changes of the list


def problem(number: int) -> Message:
    data = {"kind": "disk", "account": "", "sentence": f"The disk is full, {number}."}
    return Message(id=f"problem-{number}", type="problem.began", at="2026-11-23T10:00:00Z", data=data)


def test_announcements_are_told_once_in_order_and_after_the_changes(
    deliver: Callable[[], int], block_list: BlockList, announcements: Announcements, receiver: Receiver
) -> None:
    announcements.add(problem(1), problem(2))
    block_list.block([ALIAS], by="test")
    assert [deliver(), deliver()] == [3, 0]
    assert [it["type"] for it in receiver.taken] == ["blocks.changed", "problem.began", "problem.began"]
    assert receiver.taken[2] == {
        "type": "problem.began",
        "timestamp": "2026-11-23T10:00:00Z",
        "data": {"kind": "disk", "account": "", "sentence": "The disk is full, 2."},
    }
    assert receiver.ids[1:] == ["problem-1", "problem-2"]


def test_an_announcement_waits_while_the_other_side_is_down(
    deliver: Callable[[], int], announcements: Announcements, receiver: Receiver, now: Now
) -> None:
    announcements.add(problem(1))
    receiver.problem = "status 500"
    assert deliver() == 0
    receiver.problem = ""
    now.pass_by(seconds=5)
    assert deliver() == 1
    assert announcements.waiting() == []


def test_who_sets_no_webhook_is_not_told_later_of_problems_long_past(
    database: Database, block_list: BlockList, announcements: Announcements, now: Now, receiver: Receiver
) -> None:
    webhook = Webhook(database, Sealer(KEY))
    announcements.add(problem(1))
    deliver_due(webhook, block_list, announcements, now=now, send=receiver)
    webhook.set(URL)
    assert deliver_due(webhook, block_list, announcements, now=now, send=receiver) == 0


def test_a_webhook_that_is_down_for_months_makes_no_table_grow(announcements: Announcements) -> None:
    for number in range(150):
        at = format_time(START + timedelta(minutes=number))
        announcements.add(replace(problem(number), at=at))
    assert [it.id for it in announcements.waiting()] == [f"problem-{number}" for number in range(50, 150)]
