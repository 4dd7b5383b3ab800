"""The review list: mails that need a person."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from making import SELLER, START, alias, order

from worker.block_list.review import Review, ReviewItem
from worker.errors import DamagedFileError, StorageError

ITEM = ReviewItem(
    account=SELLER,
    gmail_id="18f0a",
    message_id="1@eu-west-1.amazonses.example",
    received_at=START,
    reason="The sender could not be verified.",
    subject="Il tuo messaggio \ud800",
    sender="Amazon <x@example.org>",
    address=alias(1),
    order_id=order(1),
    marketplace="amazon.it",
)
LATER = replace(ITEM, gmail_id="18f0b", received_at=START + timedelta(days=1), subject="")


def test_items_are_kept_newest_first_and_survive_a_restart(tmp_path: Path) -> None:
    assert Review(tmp_path).add([ITEM, LATER]) == 2

    kept = Review(tmp_path).items()
    assert [item.gmail_id for item in kept] == ["18f0b", "18f0a"]
    assert kept[1] == replace(ITEM, subject="Il tuo messaggio ?")
    assert Review(tmp_path).get(LATER.id) == LATER


def test_the_same_mail_is_listed_once(tmp_path: Path) -> None:
    review = Review(tmp_path)
    review.add([LATER])

    assert review.add([replace(LATER, reason="Another reason.")]) == 0
    assert [item.reason for item in review.items()] == ["Another reason."]


def test_a_dismissed_item_does_not_come_back(tmp_path: Path) -> None:
    review = Review(tmp_path)
    review.add([ITEM, LATER])

    assert review.dismiss(ITEM.id)
    assert not review.dismiss(ITEM.id)
    assert review.add([ITEM]) == 0
    assert ([item.id for item in review.items()], review.get(ITEM.id)) == ([LATER.id], None)


def test_a_damaged_file_is_set_aside_and_reported_once(tmp_path: Path) -> None:
    (tmp_path / "review.json").write_bytes(b"garbage")

    with pytest.raises(
        DamagedFileError, match=r"review.json is damaged and was set aside as review.json.damaged-"
    ):
        Review(tmp_path).items()
    assert [path.read_bytes() for path in tmp_path.glob("review.json.damaged-*")] == [b"garbage"]
    assert Review(tmp_path).items() == []


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "review.json").write_bytes(b'{"format": "buyerblock-review/2", "items": {}}')

    with pytest.raises(StorageError, match="newer version"):
        Review(tmp_path).add([ITEM])
    assert b"review/2" in (tmp_path / "review.json").read_bytes()
