"""Entries as stored documents, and back. One place knows the names and the order of the fields.

The fields of the JSON export come first, in its order; what is ours alone follows from ``evidence`` on.
So the export can copy a stored document up to there without parsing it.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from worker.block_list.model import Block, Entry, Evidence

Document = dict[str, Any]


def to_document(entry: Entry) -> Document:
    """Return the stored form of an entry: plain JSON values."""
    document = public_document(entry.block)
    document["evidence"] = [_evidence_document(evidence) for evidence in entry.block.evidence]
    if entry.import_id is not None:
        document["import_id"] = entry.import_id
    if entry.unblocked_at is not None:
        document["unblocked_at"] = format_time(entry.unblocked_at)
    return document


def public_document(block: Block) -> Document:
    """Return a block as the JSON export shows it."""
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


def to_entry(document: Mapping[str, Any]) -> Entry:
    """Return the entry of a stored document."""
    unblocked_at = document.get("unblocked_at")
    return Entry(
        block=to_block(document),
        unblocked_at=parse_time(unblocked_at) if unblocked_at else None,
        import_id=document.get("import_id"),
    )


def to_block(document: Mapping[str, Any]) -> Block:
    """Return the block of a stored document."""
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
        evidence=tuple(map(_to_evidence, document["evidence"])),
    )


def format_time(moment: datetime) -> str:
    """Return RFC 3339 in UTC; whole seconds have no fraction."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the aware moment of a stored time."""
    return datetime.fromisoformat(text)


def storable(text: str) -> str:
    """Return text without lone surrogates, which broken mail has and JSON files cannot hold."""
    return text.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Return text as a note keeps it: storable, on one line, so that every format can carry it."""
    return " ".join(storable(text).split())


def _evidence_document(evidence: Evidence) -> Document:
    return {
        "account": evidence.account,
        "message_id": evidence.message_id,
        "received_at": format_time(evidence.received_at),
        "order_id": evidence.order_id,
        "sent_on": evidence.sent_on.isoformat() if evidence.sent_on else None,
    }


def _to_evidence(document: Mapping[str, Any]) -> Evidence:
    sent_on = document["sent_on"]
    return Evidence(
        account=document["account"],
        message_id=document["message_id"],
        received_at=parse_time(document["received_at"]),
        order_id=document["order_id"],
        sent_on=date.fromisoformat(sent_on) if sent_on else None,
    )
