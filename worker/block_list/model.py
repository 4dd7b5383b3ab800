"""What a block knows. Frozen values; times are aware and in UTC."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from worker.block_list.keys import Key

Reason = Literal["opted_out", "manual", "imported"]

MessageKind = Literal["unsolicited", "reply", "critical"]
ALL_KINDS: tuple[MessageKind, ...] = ("unsolicited", "reply", "critical")
# Opting out stops unsolicited messages only. Answers in a thread that the buyer began and Seller Central's
# templates for critical messages still arrive.
KINDS_STILL_ALLOWED: tuple[MessageKind, ...] = ("reply", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One genuine notice, as the pass hands it over.

    address or order_id is known, or both. received_at: when the mailbox received it. message_id: the RFC 5322
    Message-ID, by which a notice seen twice counts once. sent_on: day of the seller's message that
    did not arrive.
    """

    account: str
    message_id: str
    received_at: datetime
    address: str | None = None
    order_id: str | None = None
    marketplace: str | None = None
    sent_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The notice that a block rests on, so that the seller can find the mail again."""

    account: str
    message_id: str
    received_at: datetime
    order_id: str | None = None
    sent_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An entry of the block list.

    address is None while only an order is known; orders are sorted; first_seen and last_seen are whole
    seconds; notices counts distinct notices, and may exceed the evidence after an import. Lists and pages leave the
    evidence out.
    """

    address: str | None
    orders: tuple[str, ...]
    marketplace: str | None
    reason: Reason
    accounts: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    notices: int
    note: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def key(self) -> str:
        """The alias, or the order ID while the alias is unknown."""
        return self.address or self.orders[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A block as it is kept: in force, or unblocked and remembered.

    unblocked_at: only a notice received after this moment blocks again. expired: nobody but expiry unblocked it.
    import_id: the import that made the entry, while nothing else has confirmed it.
    """

    block: Block
    unblocked_at: datetime | None = None
    expired: bool = False
    import_id: str | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether the block is in force."""
        return self.unblocked_at is None


class Unblocking(NamedTuple):
    """Whom one step has unblocked. id: the number by which it is undone."""

    id: int
    keys: list[str]


class Result(NamedTuple):
    """Whether a buyer may be written to. key is as it was asked."""

    key: str
    blocked: bool
    reason: Reason | None
    still_allowed: tuple[MessageKind, ...]


@dataclass(frozen=True, slots=True)
class KeyResult:
    """What became of one key that a person asked to block.

    problem: one sentence, for a rejected key only.
    """

    key: str
    status: Literal["blocked", "known", "rejected"]
    problem: str = ""


def whole_second(moment: datetime) -> datetime:
    """Return the moment as the export can say it, so that an export imports back without loss."""
    return moment.replace(microsecond=0)


def block_for(key: Key, *, reason: Reason, at: datetime, note: str = "") -> Block:
    """Return the block for a key that somebody named."""
    moment = whole_second(at)
    return Block(
        address=key.text if key.kind == "alias" else None,
        orders=() if key.kind == "alias" else (key.text,),
        marketplace=key.marketplace,
        reason=reason,
        accounts=(),
        first_seen=moment,
        last_seen=moment,
        notices=0,
        note=note,
    )


def refusal_text(key: str, since: date | None) -> str:
    """Return what a mail server answers to whoever writes to a blocked buyer. since: None for not known."""
    when = f"since {since}" if since else "now"
    return f"{key}: this buyer opted out of unsolicited messages (blocked {when})"
