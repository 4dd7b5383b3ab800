"""The reasons why a mail that looks like a notice needs a person's decision, and their sentences."""

from dataclasses import dataclass
from enum import Enum


class Doubt(Enum):
    """A doubt about a mail, and the template of its sentence.

    A sentence says what was found, and what it means for the seller. The names are stored on the review list: renaming
    a member needs a migration.
    """

    # Who sent it
    NO_SENDER = "It names no sender, which Amazon's notices always do."
    SEVERAL_SENDERS = "It names several senders, which Amazon's notices never do."
    UNUSUAL_SENDER = "Its sender is written in a way that Amazon never uses, so it may be forged."
    ADDRESS_IN_NAME = "The name of its sender shows another address than it came from, as forgers do."
    LOOKALIKE_ADDRESS = "Its sender's address has letters that only look like others, as forgers do."
    HEADERS_TOO_LONG = "What stands above its text is longer than in any genuine mail, so it was not read."

    # What the receiving server found
    NOT_CHECKED = "Nothing shows that your mail server has checked who sent it, so it may be forged."
    RESULTS_UNREADABLE = (
        "What your mail server found out about its sender cannot be read, so it may be forged."
    )
    RESULTS_CONTRADICT = (
        "What your mail server found out about its sender contradicts itself, so it may be forged."
    )
    NO_DMARC = "Your mail server could not tell whether the sender shown sent it: it may be forged."
    DMARC_FAILED = "Your mail server could not confirm that the sender shown sent it: it is probably forged."
    OTHER_SENDER_VERIFIED = (
        "Your mail server confirmed another sender than the one shown: it is probably forged."
    )

    # What it says
    NOT_READABLE = "This version of buyerblock cannot read it; look at it in Gmail."
    UNUSUAL_TYPE = (
        "It carries the mark of Amazon's notices, but not as Amazon writes it, so it may be forged."
    )
    TYPE_NOT_FROM_AMAZON = (
        "It carries the mark of Amazon's notices, but {address} is not Amazon: probably forged."
    )
    TEXT_NOT_FROM_AMAZON = (
        "It reads like a notice, but Amazon did not send it, so anybody may have made it up."
    )
    OTHER_ADDRESS_OF_AMAZON = "It reads like a notice, but Amazon does not send notices from {address}."
    OTHER_REASON = "Amazon marked it as an opt-out, but its text gives another reason: read it first."
    NEW_TEXT = "It has the subject of a notice, but its text is new to us: read it first."
    HALF_A_SENTENCE = (
        "It says that a buyer opted out, but not that a message was not delivered: read it first."
    )
    NEW_SENTENCE = (
        "It seems to say that a buyer did not get or want your message, in words that are new to us."
    )
    NEW_TYPE = "It has the words of a notice, but Amazon marked it as something that is new to us."
    GUESSED_WORDING = "It reads like a notice, in words that we expect of Amazon but have never seen."
    MAY_BE_QUOTED = "It holds the words of a notice, but may only quote them: read it first."
    SEVERAL_BUYERS = "It names several buyers, so it does not show which of them opted out."
    SEVERAL_ORDERS = "It names several orders, so it does not show which buyer opted out."
    NO_BUYER = "It names neither the buyer's address nor an order, so there is nobody to block."

    # How it was forwarded
    FORWARDED_BY_STRANGER = (
        "It was forwarded by {address}, whom you have not chosen to trust: it may be made up."
    )
    REDIRECTED = "It was redirected by {address}, which you have not chosen to trust: it may be changed."
    FORWARDED_AGAIN = "It was forwarded more than once, so it does not show who sent it first."
    OTHER_MAIL_ABOVE = "Lines above the notice may name another sender, so somebody else may have made it up."
    FORWARD_NOT_UNDERSTOOD = "It was forwarded in a way that does not show us who sent it first."
    SEVERAL_FORWARDED = (
        "It holds several forwarded notices, which we cannot tell apart: forward them one by one."
    )
    REPLY = "It is a reply, which may quote anybody."
    FORWARD_UNREADABLE = "It passes on a notice that cannot be read; look at it in Gmail."
    FORWARD_OF_NEW_TEXT = "It may be a forwarded notice, but its text is new to us: read it first."
    FORWARD_WITHOUT_SENDER = (
        "The mail program that forwarded it left out who sent it first: it may be made up."
    )
    NO_FIRST_CHECK = (
        "Nothing shows that the first mail server to receive it checked who sent it: it may be forged."
    )
    FAILED_FIRST_CHECK = (
        "The first mail server to receive it found that its sender is not genuine: probably forged."
    )


@dataclass(frozen=True, slots=True)
class Reason:
    """A doubt, and the address for its sentence, if it has one. ``str()`` is the sentence."""

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


# Possible notices whose wording is unknown or not proven.
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


class Group(Enum):
    """How likely a suspect is genuine, the most likely first. The values are sets of doubts."""

    # The sender is verified; only the content is unclear.
    GENUINE = NEW_WORDS | {
        Doubt.NOT_READABLE,
        Doubt.OTHER_ADDRESS_OF_AMAZON,
        Doubt.OTHER_REASON,
        Doubt.MAY_BE_QUOTED,
        Doubt.SEVERAL_BUYERS,
        Doubt.SEVERAL_ORDERS,
        Doubt.NO_BUYER,
    }
    # It depends on the forwarder or redirector.
    FORWARDED = frozenset(
        (
            Doubt.FORWARDED_BY_STRANGER,
            Doubt.REDIRECTED,
            Doubt.FORWARDED_AGAIN,
            Doubt.OTHER_MAIL_ABOVE,
            Doubt.FORWARD_NOT_UNDERSTOOD,
            Doubt.SEVERAL_FORWARDED,
            Doubt.REPLY,
            Doubt.FORWARD_UNREADABLE,
            Doubt.FORWARD_WITHOUT_SENDER,
            Doubt.NO_FIRST_CHECK,
        )
    )
    FORGED = frozenset(Doubt) - GENUINE - FORWARDED
