"""The values of the block list, frozen. Times are aware and in UTC."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from worker.block_list.keys import Key

Reason = Literal["opted_out", "manual", "imported"]

MessageKind = Literal["unsolicited", "reply", "critical"]
ALL_KINDS: tuple[MessageKind, ...] = ("unsolicited", "reply", "critical")
# Opting out stops only unsolicited messages. Replies in a thread that the buyer started, and Seller Central's templates
# for critical messages, still arrive.
KINDS_STILL_ALLOWED: tuple[MessageKind, ...] = ("reply", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One genuine notice.

    At least one of address and order_id is known. received_at: when the mailbox received it. message_id: the RFC 5322
    Message-ID; it identifies the notice. sent_on: the day of the seller's undelivered message.
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
    """A notice behind a block, so that the seller can find the mail."""

    account: str
    message_id: str
    received_at: datetime
    order_id: str | None = None
    sent_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A buyer on the block list.

    address: None while only an order is known. orders: sorted. first_seen, last_seen: whole seconds. notices: the
    number of distinct notices; after an import it may exceed the evidence. evidence: empty in lists and pages.
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
    """A stored block, in force or unblocked.

    unblocked_at: only a notice received after this time blocks again. expired: unblocked only by expiry. import_id: the
    import that added the entry, until something else confirms it.
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
    """The keys unblocked in one transaction. id: for ``undo_unblock``."""

    id: int
    keys: list[str]


class Result(NamedTuple):
    """Whether a buyer may get messages. key: the text of the request."""

    key: str
    blocked: bool
    reason: Reason | None
    still_allowed: tuple[MessageKind, ...]


@dataclass(frozen=True, slots=True)
class KeyResult:
    """The result for one key to block. problem: one sentence, only for a rejected key."""

    key: str
    status: Literal["blocked", "known", "rejected"]
    problem: str = ""


def whole_second(moment: datetime) -> datetime:
    """Round down to a second, the precision of the export, so that an export can be imported without loss."""
    return moment.replace(microsecond=0)


def block_for(key: Key, *, reason: Reason, at: datetime, note: str = "") -> Block:
    """Return the block for a key without a notice."""
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
    """Return a mail server's answer to a mail for a blocked buyer. since: None if unknown."""
    when = f"since {since}" if since else "now"
    return f"{key}: this buyer opted out of unsolicited messages (blocked {when})"
