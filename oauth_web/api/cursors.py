"""Walk through the list a page at a time.

A cursor names the last block of a page, not a number of blocks: whatever is added or unblocked meanwhile, no other
block is skipped or told twice.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from oauth_web.index import Row
from worker.block_list.documents import format_time
from worker.block_list.merging import rounded_up
from worker.block_list.model import Reason
from worker.errors import UsageError

CURSOR = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)_([0-9A-Za-z@.-]{1,100})$"

_Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which blocks somebody asked for; None and the empty text want everything.

    since: last seen at this moment or later. q: part of the alias, an order ID or the note, in any case.
    """

    since: datetime | None = None
    reason: Reason | None = None
    account: str | None = None
    q: str = ""

    def among(self, rows: Sequence[Row], start: int) -> Iterator[Row]:
        """Yield the wanted rows from the one numbered start on."""
        earliest = format_time(rounded_up(self.since)) if self.since else ""
        words = self.q.casefold().strip()
        for row in islice(rows, start, None):
            if (
                row.last_seen >= earliest
                and (self.reason is None or row.reason == self.reason)
                and (self.account is None or self.account in row.accounts)
                and words in row.text
            ):
                yield row


def page(rows: Sequence[Row], wanted: Wanted, *, cursor: str, limit: int) -> tuple[list[Row], str | None]:
    """Return at most limit rows after the cursor, and the cursor for what follows, if anything does.

    rows: sorted by first_seen, then key. Raises UsageError for a cursor that we did not make.
    """
    start = bisect_right(rows, _place_of(cursor), key=_place) if cursor else 0
    found = list(islice(wanted.among(rows, start), limit + 1))
    shown = found[:limit]
    return shown, _cursor(shown[-1]) if len(found) > limit else None


def _place(row: Row) -> _Place:
    return row.first_seen, row.key


def _cursor(row: Row) -> str:
    return "_".join(_place(row))


def _place_of(cursor: str) -> _Place:
    found = re.fullmatch(CURSOR, cursor)
    if found is None:
        raise UsageError("This cursor was not made here; take it from next_cursor, or leave it out to start.")
    return found[1], found[2]
