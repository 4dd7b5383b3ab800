"""Extract the data of a notice: buyer, order, day, marketplace, sender."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from worker.notices.aliases import orders
from worker.notices.amazon import AMAZON_DOMAINS, MARKETPLACE_BY_ID, MARKETPLACE_HEADER, POSSIBLE_MARKETPLACES
from worker.notices.authenticity import Sender
from worker.notices.content import Content
from worker.notices.dates import find_day
from worker.notices.doubts import Doubt, Reason
from worker.notices.headers import Head, decode_words
from worker.notices.model import OptOut, Suspect, Verdict


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mail that may be a notice. head: for its Message-ID and date. sender: the original sender."""

    head: Head
    sender: Sender
    content: Content


def opt_out(mail: Candidate) -> Verdict:
    """Return the verdict for a notice without a doubt; a suspect if its data is ambiguous or missing."""
    if len(mail.content.aliases) > 1:
        return suspect(mail, Reason(Doubt.SEVERAL_BUYERS))
    if len(_orders(mail.content)) > 1:
        return suspect(mail, Reason(Doubt.SEVERAL_ORDERS))
    clues = _clues(mail)
    if not clues["address"] and not clues["order_id"]:
        return suspect(mail, Reason(Doubt.NO_BUYER))
    return OptOut(**clues)


def suspect(mail: Candidate, reason: Reason) -> Suspect:
    """Return a verdict for a person's decision, with the data of the mail."""
    subject, sender = decode_words(mail.head.first("subject")), decode_words(mail.head.first("from"))
    return Suspect(**_clues(mail), reason=reason, subject=_printable(subject), sender=_printable(sender))


def _printable(text: str) -> str:
    """Remove control characters from untrusted text: a terminal would execute them."""
    text = text[:500]
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def _clues(mail: Candidate) -> dict[str, Any]:
    content = mail.content
    address = content.aliases[0] if len(content.aliases) == 1 else None
    found = _orders(content)
    marketplace = _marketplace(mail, address)
    return {
        "address": address,
        "order_id": found[0] if len(found) == 1 else None,
        "marketplace": marketplace,
        "sent_on": find_day(content.context, month_first=marketplace == "amazon.com"),
        "language": wording.language if (wording := content.wording or content.subject_wording) else None,
        "message_id": _printable(mail.head.first("message-id").strip("<> ")) or None,
        "dated": _dated(mail.head),
    }


def _orders(content: Content) -> list[str]:
    """Return the orders near the sentence; without one, those of the whole mail."""
    return orders(content.context) or orders(content.text) or orders(content.subject)


def _marketplace(mail: Candidate, address: str | None) -> str | None:
    id_ = mail.head.first(MARKETPLACE_HEADER).strip()
    if id_ in MARKETPLACE_BY_ID:
        return MARKETPLACE_BY_ID[id_]
    if address:
        return address.partition("marketplace.")[2]
    # The display name is the marketplace; the address may be at amazon.com for all marketplaces.
    name, domain = mail.sender.name.lower(), mail.sender.domain
    if name in POSSIBLE_MARKETPLACES:
        return name
    return domain if domain in AMAZON_DOMAINS and not (id_ and domain == "amazon.com") else None


def _dated(head: Head) -> datetime | None:
    try:
        when = parsedate_to_datetime(head.first("date")[:200])
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
