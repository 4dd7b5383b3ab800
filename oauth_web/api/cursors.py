"""Walk through the list a page at a time.

A cursor names the last block of a page, not a number of blocks: whatever is added or unblocked meanwhile, no other
block is skipped or returned twice.
"""

import re
from collections.abc import Sequence

from worker.block_list.documents import Document
from worker.block_list.listing import Cursor, Listing, Query
from worker.errors import UsageError

CURSOR = r"^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)_([0-9A-Za-z@.-]{1,100})$"


def parse_cursor(text: str) -> Cursor:
    """Return a cursor. Raises UsageError for one that we did not make."""
    found = re.fullmatch(CURSOR, text)
    if found is None:
        raise UsageError("This cursor was not made here; take it from next_cursor, or leave it out to start.")
    return found[1], found[2]


def page_after(
    listing: Listing, query: Query, cursor: Cursor | None, *, limit: int
) -> tuple[Sequence[Document], str | None]:
    """Return at most limit blocks after the cursor, and the cursor for what follows, if anything does."""
    found = listing.after(query, cursor, limit=limit + 1)
    shown = found[:limit]
    return shown, _cursor_of(shown[-1]) if len(found) > limit else None


def _cursor_of(block: Document) -> str:
    return f"{block['first_seen']}_{block['address'] or block['orders'][0]}"
