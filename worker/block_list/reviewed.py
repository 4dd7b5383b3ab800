"""Apply a person's decision about mail under review to the block list, and undo it."""

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
    """Block the buyers of these mails in one transaction; the mails then count as genuine notices.

    items: each has a key. decision: a name for all of them, for the undo.
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
        # ``record`` ignores notices older than an unblocking, but the owner's decision is new.
        block_list.block(keys.values(), by=by)
        began = {item for item, key in keys.items() if key not in known}
        review.decide(keys, "blocked", decision=decision, began=began)


def undo_block(
    database: Database, block_list: BlockList, review: Review, items: Sequence[ReviewItem], *, by: str
) -> None:
    """Return mails to the waiting state, and unblock the buyers that only these decisions blocked."""
    with database.together():
        for key in sorted({item.key for item in items if item.key and item.began_block}):
            block_list.unblock(key, by=by)
        review.decide([item.id for item in items], "waiting")
