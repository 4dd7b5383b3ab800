"""The review list: mails that need a person."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from making import SELLER, START, alias, order

from worker.block_list import reviewed
from worker.block_list.block_list import BlockList
from worker.block_list.review import Review, ReviewItem, ReviewQuery
from worker.database import Database
from worker.notices.doubts import Doubt, Group, Reason

ITEM = ReviewItem(
    account=SELLER,
    gmail_id="18f0a",
    message_id="1@eu-west-1.amazonses.example",
    received_at=START,
    reason=Reason(Doubt.FORWARDED_BY_STRANGER, "bob@example.net"),
    subject="Il tuo messaggio \ud800",
    sender="Amazon <x@example.org>",
    address=alias(1),
    order_id=order(1),
    marketplace="amazon.it",
)
DISMISSED = ReviewQuery(state="dismissed")
LATER = replace(ITEM, gmail_id="18f0b", received_at=START + timedelta(days=1), subject="")


def test_items_are_kept_newest_first_and_survive_a_restart(database: Database) -> None:
    assert Review(database).add([ITEM, LATER]) == 2

    kept = Review(database).items()
    assert [item.gmail_id for item in kept] == ["18f0b", "18f0a"]
    assert kept[1] == replace(ITEM, subject="Il tuo messaggio ?")
    assert Review(database).get(LATER.id) == LATER


def test_the_same_mail_is_listed_once(database: Database) -> None:
    review = Review(database)
    review.add([LATER])

    assert review.add([replace(LATER, reason=Reason(Doubt.NO_BUYER))]) == 0
    assert [item.reason for item in review.items()] == [Reason(Doubt.NO_BUYER)]


def test_a_dismissed_item_does_not_come_back(database: Database) -> None:
    review = Review(database)
    review.add([ITEM, LATER])

    assert review.decide([ITEM.id], "dismissed") == 1
    assert review.decide([ITEM.id], "dismissed") == 0
    assert review.add([ITEM]) == 0
    assert [item.id for item in review.items()] == [LATER.id]
    assert [item.id for item in review.items(DISMISSED)] == [ITEM.id]


def test_what_was_decided_at_once_is_found_by_its_decision(database: Database) -> None:
    review = Review(database)
    review.add([ITEM, LATER])
    review.decide([ITEM.id], "dismissed", decision="first")
    review.decide([LATER.id], "dismissed", decision="second")
    assert [item.id for item in review.items(replace(DISMISSED, decision="first"))] == [ITEM.id]


def test_mail_is_found_page_by_page_by_doubt_person_account_and_text(database: Database) -> None:
    review = Review(database)
    forged = replace(
        LATER,
        gmail_id="18f0c",
        account="other@gmail.example",
        received_at=START + timedelta(days=2),
        reason=Reason(Doubt.DMARC_FAILED),
    )
    review.add([ITEM, LATER, forged])

    def found(**query: Any) -> list[str]:
        pages = [review.page(ReviewQuery(**query), number=number, size=1) for number in (1, 2, 3)]
        assert [page.total for page in pages] == [review.count(ReviewQuery(**query))] * 3
        return [item.gmail_id for page in pages[: pages[0].last] for item in page.items]

    assert found() == ["18f0c", "18f0b", "18f0a"]
    assert found(doubts=Group.FORGED.value) == ["18f0c"]
    assert found(about="bob@example.net", account=SELLER) == ["18f0b", "18f0a"]
    assert found(q=" IL  tuo") == ["18f0a"]
    assert found(q="X@example.org") == ["18f0c", "18f0b", "18f0a"]
    assert found(q="nowhere") == []


def test_mail_that_is_judged_again_and_certain_now_needs_nobody(database: Database) -> None:
    review = Review(database)
    review.add([ITEM, LATER])
    review.decide([LATER.id], "dismissed")
    review.forget([ITEM.id, LATER.id])
    assert (review.items(), [item.id for item in review.items(DISMISSED)]) == ([], [LATER.id])


def test_records_of_earlier_versions_are_read(database: Database) -> None:
    review = Review(database)
    review.add([ITEM])
    document = dict(database.documents("review").find(ITEM.id) or {})
    del document["began_block"]
    database.documents("review").put({ITEM.id: document})
    assert [item.id for item in review.items()] == [ITEM.id]


def test_taking_a_block_back_unblocks_only_whom_nothing_else_has_blocked(database: Database) -> None:
    review, block_list = Review(database), BlockList(database)
    known = replace(LATER, address=alias(2), order_id=None)
    block_list.block([alias(2)], by="test")
    review.add([ITEM, known])
    reviewed.block(database, block_list, review, [ITEM, known], decision="one", by="test")
    assert review.items() == []
    assert [it.blocked for it in block_list.check([alias(1), alias(2)])] == [True, True]
    blocked = review.items(ReviewQuery(state="blocked", decision="one"))
    reviewed.undo_block(database, block_list, review, blocked, by="test")
    assert len(review) == 2
    assert [it.blocked for it in block_list.check([alias(1), alias(2)])] == [False, True]
