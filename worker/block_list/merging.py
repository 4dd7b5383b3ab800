"""How two things known about one buyer become one. Pure functions over blocks."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from worker.block_list.documents import storable
from worker.block_list.keys import marketplace_of
from worker.block_list.model import Block, Evidence, Reason, Sighting, whole_second

# A buyer's own choice outranks what a person entered, which outranks what came in bulk.
_STRENGTH: dict[Reason, int] = {"opted_out": 2, "manual": 1, "imported": 0}


def block_of(sighting: Sighting) -> Block:
    """Return the block that this notice alone justifies."""
    received = whole_second(sighting.received_at)
    return Block(
        address=sighting.address,
        orders=(sighting.order_id,) if sighting.order_id else (),
        marketplace=sighting.marketplace or (marketplace_of(sighting.address) if sighting.address else None),
        reason="opted_out",
        accounts=(sighting.account,),
        first_seen=received,
        last_seen=received,
        notices=1,
        evidence=(
            Evidence(
                account=sighting.account,
                message_id=storable(sighting.message_id),
                received_at=sighting.received_at,
                order_id=sighting.order_id,
                sent_on=sighting.sent_on,
            ),
        ),
    )


def merge(held: Block, news: Block) -> Block:
    """Return one block that keeps everything of both; merging the same news again changes nothing."""
    evidence = {_identity(item): item for item in (*news.evidence, *held.evidence)}
    return Block(
        address=held.address or news.address,
        orders=tuple(sorted({*held.orders, *news.orders})),
        marketplace=held.marketplace or news.marketplace,
        reason=stronger(held.reason, news.reason),
        accounts=tuple(sorted({*held.accounts, *news.accounts})),
        first_seen=min(held.first_seen, news.first_seen),
        last_seen=max(held.last_seen, news.last_seen),
        notices=_count(held, news),
        note=_join_notes(held.note, news.note),
        evidence=tuple(
            sorted(evidence.values(), key=lambda item: (item.received_at, item.account, item.message_id))
        ),
    )


def stronger(one: Reason, other: Reason) -> Reason:
    """Return the reason that counts when there are two."""
    return max(one, other, key=_STRENGTH.__getitem__)


def without_orders(block: Block, orders: Collection[str]) -> Block:
    """Return the block without orders that are known to belong to another buyer."""
    return replace(block, orders=tuple(order for order in block.orders if order not in orders))


def rounded_up(moment: datetime) -> datetime:
    """Return the first whole second that is not before the moment."""
    return whole_second(moment + timedelta(microseconds=999_999))


def _identity(evidence: Evidence) -> tuple[str, str]:
    # A mail without a Message-ID is identified by when it came.
    return evidence.account, evidence.message_id or evidence.received_at.isoformat()


def _count(held: Block, news: Block) -> int:
    """Count distinct notices.

    An imported count comes without evidence. A notice from the time that the count covers is taken to be
    one of those already counted, so that reading old mail after an import does not count it twice.
    """
    known = {_identity(item) for item in held.evidence}
    fresh = [item for item in news.evidence if _identity(item) not in known]
    unproven = held.notices - len(held.evidence)
    covered = sum(held.first_seen <= whole_second(item.received_at) <= held.last_seen for item in fresh)
    already_counted = len(news.evidence) - len(fresh) + min(unproven, covered)
    return held.notices + news.notices - already_counted


def _join_notes(held: str, news: str) -> str:
    if not news or news in held:
        return held
    return f"{held}; {news}" if held else news
