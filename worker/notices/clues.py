"""What a notice states: the buyer, the order, the day, and who it is from."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import TypedDict

from worker.notices.aliases import orders
from worker.notices.amazon import AMAZON_DOMAINS, MARKETPLACE_BY_ID, MARKETPLACE_HEADER
from worker.notices.authenticity import Sender
from worker.notices.content import Content
from worker.notices.dates import day_in
from worker.notices.doubts import Doubt, Reason
from worker.notices.headers import Head, decode_words
from worker.notices.model import OptOut, Suspect, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """A mail that may be a notice. head gives its identity and date, sender says who speaks."""

    head: Head
    sender: Sender
    content: Content


class _Clues(TypedDict):
    address: str | None
    order_id: str | None
    marketplace: str | None
    sent_on: date | None
    language: str | None
    message_id: str | None
    dated: datetime | None


def opt_out(case: Case) -> Verdict:
    """The verdict for a notice that nothing speaks against: a suspect still, where it contradicts itself."""
    if len(case.content.aliases) > 1:
        return suspect(case, Reason(Doubt.SEVERAL_BUYERS))
    if len(_orders(case.content)) > 1:
        return suspect(case, Reason(Doubt.SEVERAL_ORDERS))
    clues = _clues(case)
    if not clues["address"] and not clues["order_id"]:
        return suspect(case, Reason(Doubt.NO_BUYER))
    return OptOut(**clues)


def suspect(case: Case, reason: Reason) -> Suspect:
    """The verdict that leaves a mail to a person, with all that it states."""
    subject, sender = decode_words(case.head.first("subject")), decode_words(case.head.first("from"))
    return Suspect(**_clues(case), reason=reason, subject=_printable(subject), sender=_printable(sender))


def _printable(text: str) -> str:
    """Text of a stranger without control characters, which a terminal would obey."""
    text = text[:500]
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def _clues(case: Case) -> _Clues:
    content = case.content
    address = content.aliases[0] if len(content.aliases) == 1 else None
    found = _orders(content)
    marketplace = _marketplace(case, address)
    return _Clues(
        address=address,
        order_id=found[0] if len(found) == 1 else None,
        marketplace=marketplace,
        sent_on=_sent_on(content, marketplace),
        language=wording.language if (wording := content.wording or content.title) else None,
        message_id=_printable(case.head.first("message-id").strip("<> ")) or None,
        dated=_dated(case.head),
    )


def _orders(content: Content) -> list[str]:
    """The orders that the sentence names; where none is near it, those of the whole mail."""
    return orders(content.around) or orders(content.text) or orders(content.subject)


def _sent_on(content: Content, marketplace: str | None) -> date | None:
    return day_in(content.around, month_first=marketplace == "amazon.com")


def _marketplace(case: Case, address: str | None) -> str | None:
    named = MARKETPLACE_BY_ID.get(case.head.first(MARKETPLACE_HEADER).strip())
    if named:
        return named
    if address:
        return address.partition("marketplace.")[2]
    # The name shown is the marketplace's, while the address may be at amazon.com for all of them.
    if case.sender.name.lower() in AMAZON_DOMAINS:
        return case.sender.name.lower()
    return case.sender.domain if case.sender.domain in AMAZON_DOMAINS else None


def _dated(head: Head) -> datetime | None:
    try:
        when = parsedate_to_datetime(head.first("date")[:200])
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
