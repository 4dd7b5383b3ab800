"""What a person's decision about mail under review does to the block list, and how it is taken back."""

from collections.abc import Sequence

from worker.block_list.block_list import BlockList
from worker.block_list.review import Review, ReviewItem, sighting_of
from worker.database import Database


def block(
    database: Database,
    block_list: BlockList,
    review: Review,
    items: Sequence[ReviewItem],
    *,
    decision: str,
    by: str,
) -> None:
    """Block the buyers of these mails, which count as genuine notices now, in one durable step.

    items: each names a buyer or an order. decision: by which all of it is taken back.
    """
    keys = {item.id: str(item.key) for item in items}
    with database.together():
        known = {it.key for it in block_list.check(keys.values()) if it.blocked}
        block_list.record(
            [
                sighting_of(it, account=it.account, message_id=it.gmail_id, received_at=it.received_at)
                for it in items
            ]
        )
        # An earlier unblocking outweighs an old notice, but not what the owner decides now.
        block_list.block(keys.values(), by=by)
        began = {item for item, key in keys.items() if key not in known}
        review.decide(keys, "blocked", decision=decision, began=began)


def take_back(
    database: Database, block_list: BlockList, review: Review, items: Sequence[ReviewItem], *, by: str
) -> None:
    """Let mails wait again, and unblock the buyers whom nothing but a decision about them has blocked."""
    with database.together():
        for key in sorted({item.key for item in items if item.key and item.began_block}):
            block_list.unblock(key, by=by)
        review.decide([item.id for item in items], "waiting")
