"""Verdicts about a mail."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from worker.notices.doubts import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clues:
    """The data of a mail, None if not found.

    address: the buyer's alias in canonical form: lower case, no ``+suffix``.
    order_id: ``123-1234567-1234567`` or ``D01-1234567-1234567``.
    marketplace: such as ``amazon.it``.
    sent_on: the day of the seller's undelivered message.
    language: of the recognised sentence, two letters.
    message_id: the Message-ID header, without angle brackets.
    dated: the Date header, aware, in UTC.
    """

    address: str | None = None
    order_id: str | None = None
    marketplace: str | None = None
    sent_on: date | None = None
    language: str | None = None
    message_id: str | None = None
    dated: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut(_Clues):
    """A genuine notice. At least one of address and order_id is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect(_Clues):
    """Looks like a notice, but a person must decide. subject, sender: decoded headers, untrusted text."""

    reason: Reason
    subject: str = ""
    sender: str = ""


class Kind(Enum):
    """The kinds of other mail. The values are printed by ``scan``."""

    COPY = "copy of the seller's message"
    MESSAGE = "buyer's message"
    CANCELLATION = "cancellation request"
    REFUND = "refund"
    RETURN = "return request"
    CLAIM = "A-to-z claim"
    NOTIFICATION = "other notification of Amazon's"
    OTHER_OF_AMAZON = "other mail of Amazon's"
    FORWARDED = "forwarded mail"
    OTHER = "other mail"


@dataclass(frozen=True, slots=True)
class Unrelated:
    """Any other mail."""

    kind: Kind


Verdict = OptOut | Suspect | Unrelated
