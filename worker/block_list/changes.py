"""Changes to the entries by a notice, a person, an import or a resolved order.

Each function changes the given entries and returns what it did. The caller opens the transaction.
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
    """Return the entry of a key; for an order ID that of its buyer."""
    return entries.get(key.text) if key.kind == "alias" else entries.get_by_order(key.text)


def record(entries: Entries, sighting: Sighting) -> bool:
    """Block the buyer of a notice; return whether anything changed.

    A notice that was received before the buyer was unblocked changes nothing.
    """
    new = block_of(sighting)
    known = _entries_of_buyer(entries, new.address, sighting.order_id)
    if any(entry.unblocked_at and sighting.received_at <= entry.unblocked_at for entry in known):
        return False
    if new.address and sighting.order_id:
        owner = entries.get_by_order(sighting.order_id)
        if owner is not None and owner.block.address not in (None, new.address):
            # One order has one buyer. The first address stays; the evidence still has the order.
            new = without_orders(new, (sighting.order_id,))
    merged = Entry(block=reduce(merge, (*(entry.block for entry in known), new)))
    if known == [merged]:
        return False
    _replace(entries, known, merged)
    return True


def block(entries: Entries, new: Entry) -> bool:
    """Block a buyer for a person; return False if the buyer was already blocked.

    This also ends an earlier unblocking, and confirms an imported entry, so that undoing the import keeps it. A new
    note replaces the note of a blocked buyer.
    """
    known = _entries_of_buyer(entries, new.block.address, None if new.block.address else new.block.orders[0])
    if not known:
        entries.put(new)
        return True
    entry = known[0]
    if entry.is_blocked:
        reason = stronger(entry.block.reason, new.block.reason)
        merged = Entry(block=replace(entry.block, reason=reason, note=new.block.note or entry.block.note))
    else:
        merged = Entry(block=merge(entry.block, new.block))
    if merged != entry:
        entries.put(merged)
    return not entry.is_blocked


def add_imported(entries: Entries, new: Entry) -> Literal["added", "known", "unblocked"]:
    """Add an imported block, unless the buyer is known. An import does not end an unblocking.

    An entry that has only one of the orders is merged into the block; undoing the import then keeps the block. An order
    of another buyer stays with that buyer.
    """
    known = entries.get(new.block.key) if new.block.address else entries.get_by_order(new.block.key)
    orders = [] if known else [entry for order in new.block.orders if (entry := entries.get_by_order(order))]
    for entry in (known, *orders):
        if entry is not None and entry.unblocked_at is not None:
            return "unblocked"
    if known is not None:
        return "known"
    block, merged = new.block, []
    for entry in orders:
        if entry.block.address is None:
            block = merge(entry.block, block)
            merged.append(entry)
        else:
            block = without_orders(block, entry.block.orders)
    _replace(entries, merged, Entry(block=block, import_id=None if merged else new.import_id))
    return "added"


def unblock(entries: Entries, key: Key, *, at: datetime) -> bool:
    """Unblock an entry and store the time; return False if it was not blocked.

    An expired entry becomes one that a person unblocked.
    """
    entry = find(entries, key)
    if entry is None or not (entry.is_blocked or entry.expired):
        return False
    entries.put(replace(entry, unblocked_at=at, expired=False))
    return entry.is_blocked


def block_again(entries: Entries, key: str, *, unblocked_at: datetime) -> bool:
    """Undo an unblocking, unless the entry has changed since."""
    entry = entries.get(key)
    if entry is None or entry.unblocked_at != unblocked_at:
        return False
    entries.put(replace(entry, unblocked_at=None))
    return True


def annotate(entries: Entries, key: Key, note: str) -> str | None:
    """Replace the note of a block in force; return the former note, None if there is no such block."""
    entry = find(entries, key)
    if entry is None or not entry.is_blocked:
        return None
    entries.put(replace(entry, block=replace(entry.block, note=note)))
    return entry.block.note


def resolve(entries: Entries, order_id: str, alias: Key) -> bool:
    """Add the buyer's alias to an entry that has only an order; return whether there was one."""
    order = entries.get_by_order(order_id)
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


def add_order(entries: Entries, order_id: str, alias: Key) -> bool:
    """Add an order to a blocked buyer, or the buyer to an entry that has only this order; return whether it changed.

    An order of another buyer stays with that buyer.
    """
    if entries.get_by_order(order_id) is not None:
        return resolve(entries, order_id, alias)
    buyer = entries.get(alias.text)
    if buyer is None or buyer.unblocked_at is not None:
        return False
    orders = tuple(sorted({*buyer.block.orders, order_id}))
    entries.put(replace(buyer, block=replace(buyer.block, orders=orders)))
    return True


def _entries_of_buyer(entries: Entries, address: str | None, order_id: str | None) -> list[Entry]:
    """Return the entries of one buyer: that of the alias, and that of an order without an alias."""
    buyer = entries.get(address) if address else None
    order = entries.get_by_order(order_id) if order_id else None
    if address and order and order.block.address is not None:
        order = None  # the same entry, or another buyer's
    return [entry for entry in (buyer, order) if entry is not None]


def _replace(entries: Entries, former: list[Entry], merged: Entry) -> None:
    for entry in former:
        if entry.block.key != merged.block.key:
            entries.drop(entry.block.key)
    entries.put(merged)


def _still_unblocked(order: Entry, buyer: Entry | None) -> datetime | None:
    """Return since when the merged entry is unblocked; None if it is blocked."""
    if buyer is None:
        return order.unblocked_at
    if order.unblocked_at is not None and buyer.unblocked_at is not None:
        return max(order.unblocked_at, buyer.unblocked_at)
    if buyer.unblocked_at is None:
        return None
    latest = max((item.received_at for item in order.block.evidence), default=order.block.last_seen)
    return None if latest > buyer.unblocked_at else buyer.unblocked_at
