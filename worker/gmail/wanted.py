"""The labels and filters that every mailbox should have, and the same queries as searches for old mail.

All queries are made from one table of wording, so filters and searches cannot differ. They are coarse: Gmail matches
words and ignores punctuation; the judge decides.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from worker.gmail.model import Change, Filter, Label
from worker.notices.amazon import AMAZON_DOMAINS, NOTICE_SENDERS
from worker.notices.wording import WORDING, Wording

INBOX, UNREAD = "INBOX", "UNREAD"
# Our names for the labels; filters that do not exist yet use them in place of ids.
OPT_OUTS, QUEUE, REVIEW = "opt-outs", "queue", "review"
LABELS = {
    OPT_OUTS: Label(id="", name="Amazon opt-outs", list_visibility="labelShow", message_visibility="show"),
    QUEUE: Label(id="", name="Amazon opt-outs/Queue", list_visibility="labelHide", message_visibility="hide"),
    REVIEW: Label(
        id="", name="Amazon opt-outs/Review", list_visibility="labelShow", message_visibility="show"
    ),
}

# Gmail accepts about 1,469 characters of criteria; longer ones give "The specified filter is too long".
MAX_QUERY = 1400


@dataclass(frozen=True, slots=True)
class Queries:
    """Two sets of queries. Each query is short enough for a filter; a mail matches a set if it matches any query."""

    archive: tuple[str, ...]
    queue: tuple[str, ...]


def queries(own_address: str) -> Queries:
    """Return the queries for a mailbox. own_address: the account's personal address for notices and forwards."""
    proven = [row for row in WORDING if row.proven]
    guessed = [row for row in WORDING if not row.proven]
    from_amazon = f"from:({' OR '.join(sorted(AMAZON_DOMAINS))}) "
    from_senders = (f"from:{sender}" for sender in sorted(NOTICE_SENDERS))
    return Queries(
        archive=tuple(_joined(_phrases(proven), before=from_amazon)),
        queue=(
            *_joined([f"to:{own_address}", f"deliveredto:{own_address}", *_phrases(proven)]),
            *_joined(from_senders),
            *_joined(_phrases(guessed), before=from_amazon),
        ),
    )


def archiving(*, mark_read: bool) -> Change:
    """Return the change for a notice with known wording. mark_read: whether it is marked as read."""
    return Change(add=frozenset({OPT_OUTS}), remove=frozenset({INBOX, UNREAD} if mark_read else {INBOX}))


def wanted_filters(
    searches: Queries, forward_to: str | None, *, mark_read: bool = False
) -> frozenset[Filter]:
    """Return the filters for these queries. forward_to: a verified address that gets every archived notice.

    mark_read: whether archived notices are marked as read.
    """
    effect = archiving(mark_read=mark_read)
    archive = (
        Filter(query=query, add=effect.add, remove=effect.remove, forward=forward_to)
        for query in searches.archive
    )
    queue = (Filter(query=query, add=frozenset({QUEUE}), remove=frozenset()) for query in searches.queue)
    return frozenset((*archive, *queue))


def _phrases(rows: Iterable[Wording]) -> list[str]:
    texts = [text for row in rows for text in (row.subject, row.because) if text]
    return [f'"{text}"' for text in dict.fromkeys(texts)]


def _joined(alternatives: Iterable[str], *, before: str = "") -> Iterator[str]:
    """Join alternatives by OR into as few queries as MAX_QUERY allows."""
    joined = ""
    for alternative in alternatives:
        longer = f"{joined} OR {alternative}" if joined else alternative
        if joined and len(before) + len(longer) + 2 > MAX_QUERY:
            yield f"{before}({joined})"
            longer = alternative
        joined = longer
    if joined:
        yield f"{before}({joined})"
