"""Expiry: blocks end a number of days after their latest notice.

The machine's clock may be wrong. So the current time is that of the newest notice, as Google dated it. Only a small
part of the list expires without asking, and expiry can be undone.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tinydb import where

from worker.block_list.entries import changing
from worker.block_list.listing import Listing
from worker.database import Database, format_time, parse_time

MAX_SHARE = 0.1  # of the list; more needs a person's consent

_EXPIRED = where("expired") == True  # noqa: E712 - TinyDB makes a query of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Blocks to expire. of: the number of all blocks. days: from the latest notice to expiry."""

    count: int
    of: int
    days: int
    newest_notice: datetime

    @property
    def too_many(self) -> bool:
        """Whether a person has to agree first."""
        return self.count > self.of * MAX_SHARE


def due(database: Database, days: int, mailboxes: Collection[str]) -> Due | None:
    """Return the blocks to expire now; None without a notice to these mailboxes, since the time is then unknown."""
    newest = _newest_notice(database, mailboxes)
    if newest is None:
        return None
    count = database.documents("blocks").count(
        where("last_seen") < format_time(newest - timedelta(days=days))
    )
    return Due(count=count, of=Listing(database).count(), days=days, newest_notice=newest)


def expire(database: Database, due_blocks: Due, *, by: str, at: datetime) -> int:
    """Unblock the buyers whose blocks expire; return how many.

    Their unblocked_at is the time of expiry, not now, so that every later notice blocks them again, even one that was
    not read yet.
    """
    lifetime = timedelta(days=due_blocks.days)
    limit = format_time(due_blocks.newest_notice - lifetime)
    with changing(database, "expire", by=by, at=at) as (entries, _):
        old = database.documents("blocks").sorted_keys("key", matching=where("last_seen") < limit)
        entries.read(old)
        for entry in filter(None, map(entries.get, old)):
            entries.put(replace(entry, unblocked_at=entry.block.last_seen + lifetime, expired=True))
    return len(old)


def expired(database: Database) -> int:
    """Return how many buyers only expiry has unblocked."""
    return database.documents("unblocked").count(_EXPIRED)


def undo(database: Database, *, by: str, at: datetime) -> int:
    """Block all buyers again whom only expiry has unblocked; return how many."""
    with changing(database, "undo expiry", by=by, at=at) as (entries, _):
        keys = [str(it.doc_id) for it in database.documents("unblocked").search(_EXPIRED)]
        entries.read(keys)
        for entry in filter(None, map(entries.get, keys)):
            entries.put(replace(entry, unblocked_at=None, expired=False))
    return len(keys)


def _newest_notice(database: Database, mailboxes: Collection[str]) -> datetime | None:
    # Only notices of connected mailboxes: in mail files the sender chooses the date.
    notices = database.documents("notices")
    found = []
    for blocked in (True, False):  # two queries, since the index starts with this field
        newest = notices.walk("received_at", descending=True, matching=where("blocked") == blocked)
        found += [next((it["received_at"] for it in newest if it["account"] in mailboxes), "")]
    return parse_time(max(found)) if any(found) else None
