"""What the webhook was not sent yet, read from the events of the database."""

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
    """Yield messages about what happened after this position, in order, each with the position after it.

    None in place of a message: there is nothing to tell up to this position.
    """
    newest = newest_position(database)
    if newest.lineage != position.lineage or newest.sequence < position.sequence:
        # The list is another one, so only reading the whole list helps.
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
    # Both ends: a message that was not acknowledged may have grown when it is sent again.
    name = f"{first['id']}_{last['id']}"
    return Message(id=name, type="blocks.changed", at=last["at"], data={"events": events})


def _events(
    block_list: BlockList, entry: tuple[str, str], event_id: str, at: str
) -> Iterator[dict[str, Any]]:
    """Yield the webhook's event for an entry of a database event, if there is one.

    id: the same however often it is sent. block: as the JSON export shows it.
    """
    what, key = entry
    block = block_list.get(key)
    event = {"id": event_id, "type": what, "key": key, "at": at, "block": None}
    if what == "blocked" and block is not None:
        yield event | {"block": public_document(block)}
    # A removed order whose buyer is blocked has only joined the buyer's alias. And if somebody was blocked
    # again since, or unblocked, a later entry says so.
    if what == "unblocked" or (what == "removed" and block is None):
        yield event | {"type": "unblocked"}
