"""What the webhook was not told yet, read from the block list's audit trail."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import orjson

from worker.block_list.block_list import BlockList
from worker.block_list.documents import public_document
from worker.webhook.hook import Place, standing

EVENTS_AT_ONCE = 100  # in one message

Kind = Literal["blocked", "unblocked"]
_Entries = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change. id: the same however often it is told. at: RFC 3339. block: as the JSON export shows it."""

    id: str
    type: Kind
    key: str
    at: str
    block: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one message tells, and how far everything is told after it.

    replaced: the list was replaced or its trail is not whole, so only reading the whole list helps. No events and
    not replaced: there is nothing to tell up to this place.
    """

    events: tuple[Event, ...]
    after: Place
    replaced: bool = False


def batches(block_list: BlockList, place: Place) -> Iterator[Batch]:
    """Yield what happened after this place, in order."""
    newest = standing(block_list)
    if newest == place:
        return
    if newest.lineage != place.lineage and place != Place("", 0):
        yield Batch((), newest, replaced=True)
        return
    events: list[Event] = []
    told = Place(newest.lineage, place.sequence, place.done)
    for sequence, at, entries in _transactions(block_list.audit(), place.sequence):
        if sequence != told.sequence + 1:
            break
        for number in range(told.done, len(entries)):
            events += _events(block_list, entries[number], f"{newest.lineage}-{sequence}-{number}", at)
            if len(events) == EVENTS_AT_ONCE:
                yield Batch(tuple(events), Place(newest.lineage, sequence - 1, number + 1))
                events = []
        told = Place(newest.lineage, sequence)
    if told.sequence < newest.sequence:
        yield Batch((), newest, replaced=True)
    elif told != place:
        yield Batch(tuple(events), told)


def _events(block_list: BlockList, entry: tuple[str, str], event_id: str, at: str) -> Iterator[Event]:
    """Yield what an entry of the trail tells somebody who wants to know who is blocked: one event, or none."""
    what, key = entry
    block = block_list.get(key)
    if what == "blocked" and block is not None:
        yield Event(id=event_id, type="blocked", key=key, at=at, block=public_document(block))
    # A removed order whose buyer is blocked has only joined the buyer's alias. And if somebody was blocked
    # again since, or unblocked, a later entry says so.
    if what == "unblocked" or (what == "removed" and block is None):
        yield Event(id=event_id, type="unblocked", key=key, at=at, block=None)


def _transactions(lines: Iterable[bytes], after: int) -> Iterator[tuple[int, str, _Entries]]:
    """Yield sequence, time and entries of the transactions after this one."""
    records: list[dict[str, Any]] = []
    last = 0
    for record in map(orjson.loads, lines):
        if record["sequence"] < last:
            records.clear()  # a restored backup counts on from its own number
        last = record["sequence"]
        if last > after:
            records.append(record)
    for sequence, parts in groupby(records, key=lambda record: int(record["sequence"])):
        together = list(parts)
        yield sequence, together[0]["at"], [(what, key) for part in together for what, key in part["entries"]]
