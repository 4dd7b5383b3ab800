"""Why a mail that looks like a notice needs a person: the only place with these sentences."""

from dataclasses import dataclass
from enum import Enum


class Doubt(Enum):
    """A doubt about a mail, and the sentence that the seller reads; Reason fills in the address.

    The names are stored on the review list: a renamed member needs a migration.
    """

    # Who sent it
    NO_SENDER = "The mail has no sender."
    SEVERAL_SENDERS = "The mail has several senders."
    UNUSUAL_SENDER = "The sender is written in a way that genuine notices never use."
    ADDRESS_IN_NAME = "The sender's name holds another address."
    LOOKALIKE_ADDRESS = "The sender's address has letters that only look like others."
    HEADERS_TOO_LONG = "Its headers are longer than those of any genuine mail."

    # What the receiving server found
    NOT_CHECKED = "Nothing shows that your mail server has checked the sender."
    RESULTS_UNREADABLE = "What your mail server wrote about the sender cannot be read."
    RESULTS_CONTRADICT = "What your mail server wrote about the sender contradicts itself."
    NO_DMARC = "Your mail server found no proof that the sender is genuine (no DMARC result)."
    DMARC_FAILED = "Your mail server found that the sender is not genuine (DMARC did not pass)."
    OTHER_SENDER_VERIFIED = "Your mail server vouches for another sender than the one shown."

    # What it says
    NOT_READABLE = "This version cannot read the mail; look at it in Gmail."
    UNUSUAL_TYPE = "Its type header is written in a way that genuine notices never use."
    TYPE_NOT_FROM_AMAZON = "It says that it is a notice of Amazon's, but {address} is not Amazon."
    TEXT_NOT_FROM_AMAZON = "It reads like a notice, but Amazon did not send it."
    OTHER_ADDRESS_OF_AMAZON = "It reads like a notice, but notices do not come from {address}."
    OTHER_REASON = "Its type says that the buyer opted out, its text gives another reason."
    NEW_TEXT = "It has the subject of a notice, but its text is new to us."
    HALF_A_SENTENCE = "It says that a buyer opted out, but not that a message was not delivered."
    NEW_SENTENCE = "It seems to say that a buyer did not get or want a message, in words that are new to us."
    NEW_TYPE = "It has the words of a notice, but a type that is new to us."
    GUESSED_WORDING = "It reads like a notice in words that we only guess."
    MAY_BE_QUOTED = "It holds the words of a notice, but may only quote them."
    SEVERAL_BUYERS = "It names several buyers."
    SEVERAL_ORDERS = "It names several orders."
    NO_BUYER = "It names neither the buyer's address nor an order."

    # How it was forwarded
    FORWARDED_BY_STRANGER = "It was forwarded by {address}, whom you have not chosen to trust."
    REDIRECTED = "It was redirected by {address}, which you have not chosen to trust."
    FORWARDED_AGAIN = "It was forwarded more than once."
    OTHER_MAIL_ABOVE = "Lines above the notice may name another sender, so somebody else may have made it up."
    FORWARD_NOT_UNDERSTOOD = "It was forwarded, but in a way that does not show us who sent it first."
    SEVERAL_FORWARDED = "It holds several forwarded notices: forward them one by one."
    REPLY = "It is a reply, which may quote anybody."
    FORWARD_UNREADABLE = "It passes on a notice that cannot be read."
    FORWARD_OF_NEW_TEXT = "It may be a notice, but its text is new to us."
    FORWARD_WITHOUT_SENDER = "The mail program that forwarded it left out the address it came from."
    NO_FIRST_CHECK = "Nothing shows that the mail server that first received it has checked the sender."
    FAILED_FIRST_CHECK = "The mail server that first received it found that the sender is not genuine."


@dataclass(frozen=True, slots=True)
class Reason:
    """A doubt, and the address it is about where its sentence names one. ``str()`` gives the sentence."""

    doubt: Doubt
    address: str = ""

    @property
    def template(self) -> str:
        return self.doubt.value

    @property
    def fields(self) -> dict[str, str]:
        return {"address": self.address}

    def __str__(self) -> str:
        return self.template.format_map(self.fields)


# It may be a notice, but its wording is not in the table, or not proven.
NEW_WORDS = frozenset(
    (
        Doubt.NEW_TEXT,
        Doubt.HALF_A_SENTENCE,
        Doubt.NEW_SENTENCE,
        Doubt.NEW_TYPE,
        Doubt.GUESSED_WORDING,
        Doubt.FORWARD_OF_NEW_TEXT,
    )
)
