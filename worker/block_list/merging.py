"""Merge two blocks of one buyer. Pure functions."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from worker.block_list.documents import storable
from worker.block_list.keys import marketplace_of
from worker.block_list.model import Block, Evidence, Reason, Sighting, whole_second

# The buyer's own choice counts more than a person's entry, and that more than an import.
_STRENGTH: dict[Reason, int] = {"opted_out": 2, "manual": 1, "imported": 0}


def block_of(sighting: Sighting) -> Block:
    """Return the block for one notice."""
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


def merge(known: Block, new: Block) -> Block:
    """Return one block with everything of both. Idempotent: merging the same block again changes nothing."""
    evidence = {_identity(item): item for item in (*new.evidence, *known.evidence)}
    return Block(
        address=known.address or new.address,
        orders=tuple(sorted({*known.orders, *new.orders})),
        marketplace=known.marketplace or new.marketplace,
        reason=stronger(known.reason, new.reason),
        accounts=tuple(sorted({*known.accounts, *new.accounts})),
        first_seen=min(known.first_seen, new.first_seen),
        last_seen=max(known.last_seen, new.last_seen),
        notices=_count_notices(known, new),
        note=_join_notes(known.note, new.note),
        evidence=tuple(
            sorted(evidence.values(), key=lambda item: (item.received_at, item.account, item.message_id))
        ),
    )


def stronger(one: Reason, other: Reason) -> Reason:
    """Return the reason that counts more."""
    return max(one, other, key=_STRENGTH.__getitem__)


def without_orders(block: Block, orders: Collection[str]) -> Block:
    """Return the block without these orders."""
    return replace(block, orders=tuple(order for order in block.orders if order not in orders))


def rounded_up(moment: datetime) -> datetime:
    """Round up to a whole second."""
    return whole_second(moment + timedelta(microseconds=999_999))


def _identity(evidence: Evidence) -> tuple[str, str]:
    # A mail without a Message-ID is identified by its time.
    return evidence.account, evidence.message_id or evidence.received_at.isoformat()


def _count_notices(known: Block, new: Block) -> int:
    """Count distinct notices.

    An imported count has no evidence. A notice from the period of that count is assumed to be included in it, so that
    reading old mail after an import does not count it twice.
    """
    identities = {_identity(item) for item in known.evidence}
    fresh = [item for item in new.evidence if _identity(item) not in identities]
    without_evidence = known.notices - len(known.evidence)
    in_period = sum(known.first_seen <= whole_second(item.received_at) <= known.last_seen for item in fresh)
    already_counted = len(new.evidence) - len(fresh) + min(without_evidence, in_period)
    return known.notices + new.notices - already_counted


def _join_notes(known: str, new: str) -> str:
    if not new or new in known:
        return known
    return f"{known}; {new}" if known else new
