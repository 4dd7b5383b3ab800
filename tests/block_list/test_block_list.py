"""What the block list does with notices, people's decisions and orders."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from making import SELLER, START, Now, alias, notice, order

from worker.block_list.block_list import BlockList
from worker.block_list.listing import Query
from worker.block_list.model import Sighting
from worker.database import Database
from worker.errors import UsageError


def test_a_notice_blocks_its_buyer(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1, order_of=1)])

    block = block_list.get(alias(1))
    assert block is not None
    assert (block.orders, block.marketplace, block.reason, block.notices) == (
        (order(1),),
        "amazon.it",
        "opted_out",
        1,
    )
    assert (block.first_seen, block.last_seen, block.accounts) == (START, START, (SELLER,))
    assert [item.message_id for item in block.evidence] == ["1@eu-west-1.amazonses.example"]


def test_the_same_notice_again_changes_nothing(block_list: BlockList) -> None:
    assert block_list.record([notice(1, buyer=1, order_of=1)]) == 1
    before = block_list.version

    assert block_list.record([notice(1, buyer=1, order_of=1)]) == 0
    assert block_list.version == before


def test_the_same_notice_in_two_mailboxes_counts_twice(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1), replace(notice(1, buyer=1), account="other@gmail.example")])

    block = block_list.get(alias(1))
    assert block is not None
    assert (block.notices, block.accounts) == (2, ("other@gmail.example", SELLER))


def test_two_mails_without_message_id_are_two_notices(block_list: BlockList) -> None:
    block_list.record([replace(notice(n, buyer=1, days=n), message_id="") for n in (1, 2)])

    assert next(block_list.blocks()).notices == 2


def test_a_buyer_is_found_by_any_order(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1, order_of=1), notice(2, buyer=1, order_of=2, days=1)])

    assert block_list.get(order(1)) == block_list.get(order(2)) == block_list.get(alias(1)) is not None


def test_an_order_is_blocked_while_its_buyer_is_unknown(block_list: BlockList) -> None:
    block_list.record([notice(1, order_of=1)])

    assert [block.key for block in block_list.unresolved()] == [order(1)]
    assert block_list.check([order(1)])[0].blocked


def test_a_later_notice_joins_the_order_to_its_buyer(block_list: BlockList) -> None:
    block_list.record([notice(1, order_of=1)])
    block_list.record([notice(2, buyer=1, order_of=1, days=1)])

    (block,) = block_list.blocks()
    assert (block.address, block.orders, block.notices) == (alias(1), (order(1),), 2)
    assert (block.first_seen, block.last_seen) == (START, START + timedelta(days=1))
    assert block_list.unresolved() == []


def test_resolving_an_order_keeps_everything_of_both(block_list: BlockList) -> None:
    block_list.record([notice(1, order_of=1), notice(2, buyer=1, order_of=2, days=3)])
    block_list.block([order(1)], note="complained by phone", by="test")

    assert block_list.resolve(order(1), alias(1), by="test")

    block = block_list.get(alias(1))
    assert block is not None
    assert block.orders == (order(1), order(2))
    assert (block.note, block.notices, len(block.evidence)) == ("complained by phone", 2, 2)
    assert (block.first_seen, block.last_seen) == (START, START + timedelta(days=3))


def test_resolving_an_unknown_or_resolved_order_says_so(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1, order_of=1)])

    assert not block_list.resolve(order(1), alias(1), by="test")
    assert not block_list.resolve(order(2), alias(2), by="test")
    with pytest.raises(UsageError, match="order ID and a buyer's address"):
        block_list.resolve(alias(1), order(1), by="test")


def test_an_order_that_two_buyers_claim_stays_with_the_first(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1, order_of=1), notice(2, buyer=2, order_of=1)])

    first, second = block_list.get(alias(1)), block_list.get(alias(2))
    assert first is not None
    assert second is not None
    assert (first.orders, second.orders) == ((order(1),), ())
    assert second.evidence[0].order_id == order(1)


def test_a_person_can_block_by_alias_or_order(block_list: BlockList) -> None:
    results = block_list.block([alias(1).upper(), f"[{order(2)}]", "nobody"], note="rude", by="test")

    assert [result.status for result in results] == ["blocked", "blocked", "rejected"]
    assert "'nobody' is not a key" in results[2].problem
    assert {block.key: (block.reason, block.note, block.notices) for block in block_list.blocks()} == {
        alias(1): ("manual", "rude", 0),
        order(2): ("manual", "rude", 0),
    }


def test_blocking_a_known_buyer_is_no_error_and_may_add_a_note(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1, order_of=1)])

    assert [each.status for each in block_list.block([order(1)], note="again", by="test")] == ["known"]
    block = block_list.get(alias(1))
    assert block is not None
    assert (block.reason, block.note) == ("opted_out", "again")


def test_a_note_that_is_too_long_is_refused(block_list: BlockList) -> None:
    with pytest.raises(UsageError, match="1,000 characters"):
        block_list.block([alias(1)], note="x" * 1001, by="test")


def test_a_notice_outranks_a_manual_block(block_list: BlockList) -> None:
    block_list.block([alias(1)], note="rude", by="test")
    block_list.record([notice(1, buyer=1, days=1)])

    block = block_list.get(alias(1))
    assert block is not None
    assert (block.reason, block.note, block.notices) == ("opted_out", "rude", 1)


@pytest.mark.parametrize("key", [alias(1), order(1)])
def test_an_unblocked_buyer_is_no_longer_on_the_list(block_list: BlockList, key: str) -> None:
    block_list.record([notice(1, buyer=1, order_of=1)])

    assert block_list.unblock(key, by="test")
    assert not block_list.unblock(key, by="test")
    assert (len(block_list), block_list.get(alias(1)), list(block_list.blocks())) == (0, None, [])


@pytest.mark.parametrize(
    "old",
    [notice(1, buyer=1, order_of=1), notice(2, buyer=1, days=5), notice(3, order_of=1, days=5)],
    ids=["the same notice", "an unseen notice", "a notice of the order alone"],
)
def test_a_notice_from_before_the_unblocking_does_not_block_again(
    block_list: BlockList, now: Now, old: Sighting
) -> None:
    block_list.record([notice(1, buyer=1, order_of=1)])
    now.after(days=5)
    block_list.unblock(alias(1), by="test")

    block_list.record([old])
    assert len(block_list) == 0


def test_a_notice_received_after_the_unblocking_blocks_again_with_its_history(
    block_list: BlockList, now: Now
) -> None:
    block_list.record([notice(1, buyer=1)])
    now.after(days=5)
    block_list.unblock(alias(1), by="test")

    block_list.record([notice(2, buyer=1, days=6)])
    block = block_list.get(alias(1))
    assert block is not None
    assert (block.notices, block.first_seen) == (2, START)


def test_an_unblocked_order_stays_unblocked_when_an_old_notice_names_its_buyer(
    block_list: BlockList, now: Now
) -> None:
    block_list.record([notice(1, order_of=1)])
    now.after(days=5)
    block_list.unblock(order(1), by="test")

    block_list.record([notice(1, buyer=1, order_of=1)])
    assert len(block_list) == 0


def test_a_person_can_block_an_unblocked_buyer_again(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1)])
    block_list.unblock(alias(1), by="test")

    assert [each.status for each in block_list.block([alias(1)], by="test")] == ["blocked"]
    assert block_list.check([alias(1)])[0].reason == "opted_out"


@pytest.mark.parametrize(("order_days", "blocked"), [(1, False), (9, True)])
def test_resolving_to_an_unblocked_buyer_blocks_only_on_newer_evidence(
    block_list: BlockList, now: Now, order_days: int, blocked: bool
) -> None:
    block_list.record([notice(1, buyer=1), notice(2, order_of=2, days=order_days)])
    now.after(days=5)
    block_list.unblock(alias(1), by="test")

    assert block_list.resolve(order(2), alias(1), by="test")
    assert block_list.check([alias(1), order(2)])[1].blocked is blocked
    assert block_list.unresolved() == []


def test_checking_answers_in_the_order_asked_with_what_is_still_allowed(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1)])

    blocked, free = block_list.check([f" <{alias(1).upper()}>", alias(2)])
    assert (blocked.key, blocked.blocked, blocked.reason) == (f" <{alias(1).upper()}>", True, "opted_out")
    assert blocked.still_allowed == ("reply", "critical")
    assert (free.blocked, free.reason, free.still_allowed) == (
        False,
        None,
        ("unsolicited", "reply", "critical"),
    )


def test_checking_what_is_no_key_is_refused(block_list: BlockList) -> None:
    with pytest.raises(UsageError, match="is not a key"):
        block_list.check([alias(1), "someone@example.org"])


def test_blocks_are_sorted_by_first_seen_then_key(block_list: BlockList) -> None:
    block_list.record(
        [notice(1, buyer=3, days=2), notice(2, buyer=2), notice(3, buyer=1), notice(4, order_of=9)]
    )

    assert [block.key for block in block_list.blocks()] == [order(9), alias(1), alias(2), alias(3)]


def test_blocks_can_be_filtered(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1, order_of=1), notice(2, buyer=2, order_of=2, days=2)])
    block_list.block([alias(3)], note="Rude on the phone", by="test")

    def found(**wanted: Any) -> list[str]:
        return [block.key for block in block_list.blocks(Query(**wanted))]

    assert found(since=START + timedelta(days=1)) == [alias(2)]
    assert found(reason="manual") == [alias(3)]
    assert found(account=SELLER) == [alias(1), alias(2)]
    assert found(q="BUYER0000000002") == [alias(2)]
    assert found(q=order(1)) == [alias(1)]
    assert found(q="rude") == [alias(3)]
    assert found(q="  RUDE   on the") == [alias(3)]
    assert found(q="opted_out") == []


def test_a_search_finds_letters_and_marks_of_every_kind(block_list: BlockList) -> None:
    block_list.block([alias(1)], note='Ärger, sagte "nein"', by="test")
    block_list.block([alias(2)], note="C:\\temp", by="test")

    for q, number in (("ärger", 1), ('"NEIN"', 1), ("c:\\TEMP", 2)):
        assert [block.key for block in block_list.blocks(Query(q=q))] == [alias(number)]


def test_the_order_of_the_list_is_the_same_after_changes_as_after_a_restart(
    block_list: BlockList, now: Now, database: Database
) -> None:
    for number in (5, 3, 8, 1, 9, 2):
        block_list.record([notice(number, buyer=number, days=number % 4)])
        assert len(list(block_list.blocks())) == len(block_list)
    block_list.record([notice(20, buyer=9, days=-1)])
    block_list.unblock(alias(3), by="test")

    assert list(block_list.blocks()) == list(BlockList(database, now=now).blocks())


def test_the_audit_trail_says_who_changed_what_and_when(
    block_list: BlockList, database: Database, now: Now
) -> None:
    block_list.record([notice(1, order_of=1)])
    block_list.resolve(order(1), alias(1), by="mailbox search")
    now.after(days=1)
    block_list.unblock(alias(1), by="owner")

    first, second, third = database.events()
    assert (first.by, first.what) == ("notices to seller@gmail.example", "record")
    assert second.entries == (("removed", order(1)), ("blocked", alias(1)))
    assert (third.at, third.by, third.what) == ("2026-09-11T00:04:50Z", "owner", "unblock")
    assert third.entries == (("unblocked", alias(1)),)


def test_text_that_no_file_can_hold_is_replaced(block_list: BlockList) -> None:
    broken = replace(notice(1, buyer=1), message_id="\ud800@broken.example")

    block_list.record([broken])
    assert block_list.record([broken]) == 0
    block = block_list.get(alias(1))
    assert block is not None
    assert block.evidence[0].message_id == "?@broken.example"
