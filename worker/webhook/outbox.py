"""What the webhook was not sent yet, read from the events of the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from worker.block_list.block_list import BlockList
from worker.block_list.documents import public_document
from worker.database import Database
from worker.webhook.hook import Position, newest_position

MAX_EVENTS = 100  # in one message

Kind = Literal["blocked", "unblocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change. id: the same however often it is sent. at: RFC 3339. block: as the JSON export shows it."""

    id: str
    type: Kind
    key: str
    at: str
    block: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The content of one message, and the position after it.

    replaced: the list is another one, so only reading the whole list helps. No events and not replaced: there is
    nothing to tell up to this position.
    """

    events: tuple[Event, ...]
    after: Position
    replaced: bool = False


def batches(database: Database, block_list: BlockList, position: Position) -> Iterator[Batch]:
    """Yield what happened after this position, in order."""
    newest = newest_position(database)
    if newest.lineage != position.lineage or newest.sequence < position.sequence:
        yield Batch((), newest, replaced=True)
        return
    events: list[Event] = []
    done, last = position.done, position.sequence
    for it in database.events(after=position.sequence):
        last = it.sequence
        for number, entry in enumerate(it.entries[done:], done):
            events += _events(block_list, entry, f"{newest.lineage}-{last}-{number}", it.at)
            if len(events) == MAX_EVENTS:
                yield Batch(tuple(events), Position(newest.lineage, last - 1, number + 1))
                events = []
        done = 0
    if last > position.sequence:
        yield Batch(tuple(events), Position(newest.lineage, last))


def _events(block_list: BlockList, entry: tuple[str, str], event_id: str, at: str) -> Iterator[Event]:
    """Yield the webhook's event for an entry of a database event, if there is one."""
    what, key = entry
    block = block_list.get(key)
    if what == "blocked" and block is not None:
        yield Event(id=event_id, type="blocked", key=key, at=at, block=public_document(block))
    # A removed order whose buyer is blocked has only joined the buyer's alias. And if somebody was blocked
    # again since, or unblocked, a later entry says so.
    if what == "unblocked" or (what == "removed" and block is None):
        yield Event(id=event_id, type="unblocked", key=key, at=at, block=None)
