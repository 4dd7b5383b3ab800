"""Convert entries to stored documents and back. Only this file knows the names and the order of the fields.

The fields of the JSON export come first, in its order, then the private ones. Evidence has its own table.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast, get_args

from tinydb.table import Document as Stored

from worker.block_list.keys import parse_key
from worker.block_list.model import Block, Entry, Evidence, Reason, block_for
from worker.database import checked, format_time, parse_time
from worker.errors import UsageError

Document = dict[str, Any]
_REASONS = frozenset(get_args(Reason))
UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)
PRIVATE = ("kind", "search", "by_order", "import_id", "unblocked_at", "expired")
PUBLIC = (
    "address",
    "orders",
    "marketplace",
    "reason",
    "accounts",
    "first_seen",
    "last_seen",
    "notices",
    "note",
)

_public = itemgetter(*PUBLIC)


def to_document(entry: Entry) -> Document:
    """Return the stored form of an entry, without its evidence: plain JSON values.

    kind, search, by_order: fields for filters and search.
    """
    block = entry.block
    document = public_document(block)
    document["kind"] = kind_of(block)
    document["search"] = "\n".join((block.address or "", *block.orders, block.note)).casefold()
    if block.address is None:
        document["by_order"] = True
    if entry.import_id is not None:
        document["import_id"] = entry.import_id
    if entry.unblocked_at is not None:
        document["unblocked_at"] = format_time(entry.unblocked_at)
    if entry.expired:
        document["expired"] = True
    return document


def kind_of(block: Block) -> str:
    """Return reason, marketplace and accounts in one text, for filters."""
    return " ".join((block.reason, block.marketplace or "", *block.accounts))


def week_of(moment: datetime) -> str:
    """Return the week of a moment as its Monday, in UTC."""
    day = moment.astimezone(UTC).date()
    return (day - timedelta(days=day.weekday())).isoformat()


@lru_cache
def reason_of(kind: object) -> Reason | None:
    """Return the reason at the start of a stored ``kind``, None if it is damaged."""
    reason = str(kind).partition(" ")[0]
    return cast(Reason, reason) if reason in _REASONS else None


def notice_documents(entries: Iterable[Entry]) -> dict[str, Document]:
    """Return the stored form of the entries' evidence, by key. blocked: whether the entry is in force."""
    return {
        f"{entry.block.key} {it.account} {it.message_id or format_time(it.received_at)}": {
            "block": entry.block.key,
            "blocked": entry.is_blocked,
            "account": it.account,
            "message_id": it.message_id,
            "received_at": format_time(it.received_at),
            "order_id": it.order_id,
            "sent_on": it.sent_on.isoformat() if it.sent_on else None,
        }
        for entry in entries
        for it in entry.block.evidence
    }


def public_document(block: Block) -> Document:
    """Return a block as in the JSON export."""
    return {
        "address": block.address,
        "orders": list(block.orders),
        "marketplace": block.marketplace,
        "reason": block.reason,
        "accounts": list(block.accounts),
        "first_seen": format_time(block.first_seen),
        "last_seen": format_time(block.last_seen),
        "notices": block.notices,
        "note": block.note,
    }


def to_entry(document: Mapping[str, Any], notices: Iterable[Mapping[str, Any]]) -> Entry:
    """Return the entry of a stored document and its notices' documents."""
    unblocked_at = document.get("unblocked_at")
    return Entry(
        block=to_block(document, notices),
        unblocked_at=parse_time(unblocked_at) if unblocked_at else None,
        expired="expired" in document,
        import_id=document.get("import_id"),
    )


def to_block(document: Mapping[str, Any], notices: Iterable[Mapping[str, Any]] = ()) -> Block:
    """Return the block of a stored document. Without the notices' documents it has no evidence."""
    evidence = map(to_evidence, notices)
    return Block(
        address=document["address"],
        orders=tuple(document["orders"]),
        marketplace=document["marketplace"],
        reason=document["reason"],
        accounts=tuple(document["accounts"]),
        first_seen=parse_time(document["first_seen"]),
        last_seen=parse_time(document["last_seen"]),
        notices=document["notices"],
        note=document["note"],
        evidence=tuple(sorted(evidence, key=lambda it: (it.received_at, it.account, it.message_id))),
    )


def to_evidence(document: Mapping[str, Any]) -> Evidence:
    sent_on = document["sent_on"]
    return Evidence(
        account=document["account"],
        message_id=document["message_id"],
        received_at=parse_time(document["received_at"]),
        order_id=document["order_id"],
        sent_on=date.fromisoformat(sent_on) if sent_on else None,
    )


def expect_entry(document: Stored) -> None:
    """Raise an error unless a stored entry has the expected shape. It runs at every read of a key, so it is fast."""
    address, orders, marketplace, reason, accounts, first_seen, last_seen, notices, note = _public(document)
    # The fastest check that all of them are texts: join raises TypeError.
    "".join((*orders, *accounts, address or "", marketplace or "", note))
    if (
        (address or orders[0]) != document.doc_id
        or type(orders) is not list
        or type(accounts) is not list
        or reason not in _REASONS
        or type(notices) is not int
        or first_seen[19:] + last_seen[19:] != "ZZ"
    ):
        raise TypeError("an entry of another shape")
    datetime.fromisoformat(first_seen)
    datetime.fromisoformat(last_seen)
    if "unblocked_at" in document:
        datetime.fromisoformat(document["unblocked_at"])


def fallback_document(key: str) -> Document | None:
    """Return a replacement for a damaged entry in force, so that its key stays blocked; None for an invalid key."""
    try:
        parsed = parse_key(key)
    except UsageError:
        return None
    return to_document(Entry(block=block_for(parsed, reason="imported", at=UNKNOWN_TIME)))


def expect_notice(document: Stored) -> None:
    """Raise an error unless a stored notice has the expected shape."""
    checked(to_evidence(document))
    if type(document["block"]) is not str:
        raise TypeError("block")


def storable(text: str) -> str:
    """Return text without lone surrogates: broken mail has them, and JSON cannot store them."""
    return text.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return text as a note stores it: storable and on one line, so that every export format can contain it."""
    return " ".join(storable(text).split())
