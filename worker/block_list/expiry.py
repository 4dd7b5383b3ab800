"""Blocks that end by themselves, so many days after their latest notice.

A clock may be wrong for a moment. So it is not asked: the days are counted to the newest notice, by the date that
Google gave it. Only a part of the list ends without a question, and all of it can be taken back.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tinydb import where

from worker.block_list.entries import changing
from worker.block_list.listing import Listing
from worker.database import Database, format_time, parse_time

MAX_SHARE = 0.1  # of the list, at once and without a question

_EXPIRED = where("expired") == True  # noqa: E712 - TinyDB makes a query of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Blocks whose time is over. of: how many blocks there are. days: after their latest notice."""

    count: int
    of: int
    days: int
    newest_notice: datetime

    @property
    def too_many(self) -> bool:
        """Whether a person has to agree first."""
        return self.count > self.of * MAX_SHARE


def due(database: Database, days: int, mailboxes: Collection[str]) -> Due | None:
    """Return how many blocks end now; None if no notice to these mailboxes says what time it is."""
    newest = _newest_notice(database, mailboxes)
    if newest is None:
        return None
    count = database.documents("blocks").count(
        where("last_seen") < format_time(newest - timedelta(days=days))
    )
    return Due(count=count, of=Listing(database).count(), days=days, newest_notice=newest)


def expire(database: Database, these: Due, *, by: str, at: datetime) -> int:
    """Unblock the buyers whose time is over; return how many.

    They are remembered as unblocked at the moment when their time was over, so that every later notice, also one that
    is still to be read, blocks them again.
    """
    life = timedelta(days=these.days)
    limit = format_time(these.newest_notice - life)
    with changing(database, "expire", by=by, at=at) as (entries, _):
        old = database.documents("blocks").sorted_keys("key", matching=where("last_seen") < limit)
        entries.read(old)
        for entry in filter(None, map(entries.get, old)):
            entries.put(replace(entry, unblocked_at=entry.block.last_seen + life, expired=True))
    return len(old)


def expired(database: Database) -> int:
    """Return how many buyers are unblocked by expiry alone."""
    return database.documents("unblocked").count(_EXPIRED)


def undo(database: Database, *, by: str, at: datetime) -> int:
    """Block everybody again who is unblocked by expiry alone; return how many."""
    with changing(database, "undo expiry", by=by, at=at) as (entries, _):
        keys = [str(it.doc_id) for it in database.documents("unblocked").search(_EXPIRED)]
        entries.read(keys)
        for entry in filter(None, map(entries.get, keys)):
            entries.put(replace(entry, unblocked_at=None, expired=False))
    return len(keys)


def _newest_notice(database: Database, mailboxes: Collection[str]) -> datetime | None:
    """Return when Google received the newest notice. Those of files have the dates that their senders wrote."""
    notices = database.documents("notices")
    found = []
    for blocked in (True, False):  # each way there is an index
        newest = notices.walk("received_at", descending=True, matching=where("blocked") == blocked)
        found += [next((it["received_at"] for it in newest if it["account"] in mailboxes), "")]
    return parse_time(max(found)) if any(found) else None
