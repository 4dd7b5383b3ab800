"""The review list: mails that need a person."""

from dataclasses import replace
from datetime import timedelta

from making import SELLER, START, alias, order

from worker.block_list.review import Review, ReviewItem
from worker.database import Database
from worker.notices.doubts import Doubt, Reason

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

    assert review.dismiss(ITEM.id)
    assert not review.dismiss(ITEM.id)
    assert review.add([ITEM]) == 0
    assert ([item.id for item in review.items()], review.get(ITEM.id)) == ([LATER.id], None)
