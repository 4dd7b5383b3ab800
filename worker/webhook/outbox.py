"""The unsent messages of the webhook, read from the events of the database."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from worker.block_list.block_list import BlockList
from worker.block_list.documents import public_document
from worker.database import Database, format_time
from worker.webhook.hook import Position, newest_position
from worker.webhook.message import Message

MAX_EVENTS = 100  # in one message


def unsent(
    database: Database, block_list: BlockList, position: Position, now: datetime
) -> Iterator[tuple[Message | None, Position]]:
    """Yield messages about the events after this position, in order, each with its new position.

    None instead of a message: there is nothing to send up to this position.
    """
    newest = newest_position(database)
    if newest.lineage != position.lineage or newest.sequence < position.sequence:
        # The database was replaced: the receiver must read the whole list.
        name = f"{newest.lineage}-{newest.sequence}-replaced"
        yield Message(id=name, type="blocks.replaced", at=format_time(now), data={}), newest
        return
    events: list[dict[str, Any]] = []
    done, last = position.done, position.sequence
    for it in database.events(after=position.sequence):
        last = it.sequence
        for number, entry in enumerate(it.entries[done:], done):
            events += _events(block_list, entry, f"{newest.lineage}-{last}-{number}", it.at)
            if len(events) == MAX_EVENTS:
                yield _changed(events), Position(newest.lineage, last - 1, number + 1)
                events = []
        done = 0
    if last > position.sequence:
        yield _changed(events) if events else None, Position(newest.lineage, last)


def _changed(events: list[dict[str, Any]]) -> Message:
    first, last = events[0], events[-1]
    # First and last id: a message may contain more events when it is sent again.
    name = f"{first['id']}_{last['id']}"
    return Message(id=name, type="blocks.changed", at=last["at"], data={"events": events})


def _events(
    block_list: BlockList, entry: tuple[str, str], event_id: str, at: str
) -> Iterator[dict[str, Any]]:
    """Yield the webhook's event for an entry of a database event, if there is one.

    id: the same for every try. block: as in the JSON export.
    """
    what, key = entry
    block = block_list.get(key)
    event = {"id": event_id, "type": what, "key": key, "at": at, "block": None}
    if what == "blocked" and block is not None:
        yield event | {"block": public_document(block)}
    # A removed order with a blocked buyer was only merged into the buyer's entry. If the buyer was blocked or unblocked
    # again later, a later event says so.
    if what == "unblocked" or (what == "removed" and block is None):
        yield event | {"type": "unblocked"}
