"""What happens to the entries when a notice comes, a person decides or an order is resolved.

Each function changes the entries it is given and returns what it did. One call, or several, run inside one
transaction of the caller.
"""

from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Literal

from worker.block_list.entries import Entries
from worker.block_list.keys import Key
from worker.block_list.merging import block_of, merge, stronger, without_orders
from worker.block_list.model import Entry, Sighting


def find(entries: Entries, key: Key) -> Entry | None:
    """Return the entry that a key means: an order ID finds the buyer who placed it."""
    return entries.get(key.text) if key.kind == "alias" else entries.of_order(key.text)


def record(entries: Entries, sighting: Sighting) -> bool:
    """Block the buyer of a notice; return whether anything changed.

    A notice that was received before the buyer was unblocked is old news and changes nothing.
    """
    news = block_of(sighting)
    held = _held(entries, news.address, sighting.order_id)
    if any(entry.unblocked_at and sighting.received_at <= entry.unblocked_at for entry in held):
        return False
    if news.address and sighting.order_id:
        owner = entries.of_order(sighting.order_id)
        if owner is not None and owner.block.address not in (None, news.address):
            # One order has one buyer. The first address stays, the evidence still names the order.
            news = without_orders(news, (sighting.order_id,))
    merged = Entry(block=reduce(merge, (*(entry.block for entry in held), news)))
    if held == [merged]:
        return False
    _replace(entries, held, merged)
    return True


def block(entries: Entries, new: Entry) -> bool:
    """Put a block in force because a person says so; return False if it was in force already.

    A note is added to what is known; a person's word also ends an earlier unblocking, and outlasts the undo
    of an import that named the buyer.
    """
    held = _held(entries, new.block.address, None if new.block.address else new.block.orders[0])
    if not held:
        entries.put(new)
        return True
    entry = held[0]
    known = entry.unblocked_at is None
    if known:
        reason = stronger(entry.block.reason, new.block.reason)
        merged = Entry(block=replace(entry.block, reason=reason, note=new.block.note or entry.block.note))
    else:
        merged = Entry(block=merge(entry.block, new.block))
    if merged != entry:
        entries.put(merged)
    return not known


def take_in(entries: Entries, new: Entry) -> Literal["added", "known", "unblocked"]:
    """Put an imported block in force unless the buyer is known; a list does not end an unblocking.

    An order that so far was alone joins the block, which then outlasts the undo of the import; an order of
    another buyer stays there.
    """
    held = entries.get(new.block.key) if new.block.address else entries.of_order(new.block.key)
    orders = [] if held else [entry for order in new.block.orders if (entry := entries.of_order(order))]
    for entry in (held, *orders):
        if entry is not None and entry.unblocked_at is not None:
            return "unblocked"
    if held is not None:
        return "known"
    block, alone = new.block, []
    for entry in orders:
        if entry.block.address is None:
            block = merge(entry.block, block)
            alone.append(entry)
        else:
            block = without_orders(block, entry.block.orders)
    _replace(entries, alone, Entry(block=block, import_id=None if alone else new.import_id))
    return "added"


def unblock(entries: Entries, key: Key, *, at: datetime) -> bool:
    """Take a block out of force and remember when; return False if there was none.

    For one that expired, a person's word now counts in place of expiry's.
    """
    entry = find(entries, key)
    if entry is None or not (entry.is_blocked or entry.expired):
        return False
    entries.put(replace(entry, unblocked_at=at, expired=False))
    return entry.is_blocked


def block_again(entries: Entries, key: str, *, unblocked_at: datetime) -> bool:
    """Put a block in force again as it was, unless something else has happened to it since it was unblocked."""
    entry = entries.get(key)
    if entry is None or entry.unblocked_at != unblocked_at:
        return False
    entries.put(replace(entry, unblocked_at=None))
    return True


def annotate(entries: Entries, key: Key, note: str) -> str | None:
    """Replace the note of a block in force; return the former one, None if there is no such block."""
    entry = find(entries, key)
    if entry is None or not entry.is_blocked:
        return None
    entries.put(replace(entry, block=replace(entry.block, note=note)))
    return entry.block.note


def resolve(entries: Entries, order_id: str, alias: Key) -> bool:
    """Give an entry that was known by its order alone the buyer's alias; return whether there was one."""
    order = entries.of_order(order_id)
    if order is None or order.block.address is not None:
        return False
    named = replace(order.block, address=alias.text, marketplace=order.block.marketplace or alias.marketplace)
    buyer = entries.get(alias.text)
    merged = Entry(
        block=merge(buyer.block, named) if buyer else named,
        unblocked_at=_still_unblocked(order, buyer),
        import_id=order.import_id if buyer is None else None,
    )
    _replace(entries, [order], merged)
    return True


def join(entries: Entries, order_id: str, alias: Key) -> bool:
    """Let a buyer who is blocked have this order too, or an order that was alone have its buyer.

    Return whether anything changed; an order of another buyer stays there.
    """
    if entries.of_order(order_id) is not None:
        return resolve(entries, order_id, alias)
    buyer = entries.get(alias.text)
    if buyer is None or buyer.unblocked_at is not None:
        return False
    orders = tuple(sorted({*buyer.block.orders, order_id}))
    entries.put(replace(buyer, block=replace(buyer.block, orders=orders)))
    return True


def _held(entries: Entries, address: str | None, order_id: str | None) -> list[Entry]:
    """Return what is held about one buyer: under the alias, and under an order not yet joined to it."""
    buyer = entries.get(address) if address else None
    order = entries.of_order(order_id) if order_id else None
    if address and order and order.block.address is not None:
        order = None  # either the same buyer's entry again, or another buyer's
    return [entry for entry in (buyer, order) if entry is not None]


def _replace(entries: Entries, held: list[Entry], merged: Entry) -> None:
    for entry in held:
        if entry.block.key != merged.block.key:
            entries.drop(entry.block.key)
    entries.put(merged)


def _still_unblocked(order: Entry, buyer: Entry | None) -> datetime | None:
    """Return since when the joined entry is unblocked; None if either half is in force after that."""
    if buyer is None:
        return order.unblocked_at
    if order.unblocked_at is not None and buyer.unblocked_at is not None:
        return max(order.unblocked_at, buyer.unblocked_at)
    if buyer.unblocked_at is None:
        return None
    latest = max((item.received_at for item in order.block.evidence), default=order.block.last_seen)
    return None if latest > buyer.unblocked_at else buyer.unblocked_at
