"""JSON files with keys: our own export, TinyDB files, and exports of mailing services."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from worker.block_list.documents import one_line, storable
from worker.block_list.keys import parse_key
from worker.block_list.model import Block, Reason, whole_second
from worker.errors import UsageError
from worker.parsing import moment

# The names of the address field: ours; SendGrid and listmonk; SES; Postmark.
_ADDRESS_NAMES = ("address", "email", "emailAddress", "EmailAddress")
_LIST_NAMES = ("_default", "blocks", "Suppressions", "suppressions", "items", "results")
_MAX_NOTICES = 1_000_000_000
EXPORT = "buyerblock/1"
_REASONS: dict[str, Reason] = {"opted_out": "opted_out", "manual": "manual", "imported": "imported"}


def objects_in(document: object) -> Iterator[object]:
    """Yield the entries of a parsed JSON file. Raises UsageError if it contains no known list."""
    if isinstance(document, dict):
        version = str(document.get("format"))
        if version.startswith("buyerblock/") and version != EXPORT:
            raise UsageError(
                "This export says it is {version}, and buyerblock here reads {export} only.",
                version=repr(version),
                export=EXPORT,
            )
        for name in _LIST_NAMES:
            if isinstance(document.get(name), list):
                document = document[name]
                break
            if isinstance(document.get(name), dict):  # TinyDB: entries by number
                document = list(document[name].values())
                break
    if not isinstance(document, list):
        raise UsageError(
            "This JSON file holds no list of addresses that buyerblock knows; try one key a line."
        )
    yield from document


def key_of(entry: object) -> tuple[str, Block | None]:
    """Return the key of one entry, with the whole block if it comes from our own export.

    Raises UsageError for an entry without a key.
    """
    if isinstance(entry, str):
        return parse_key(entry).text, None
    if not isinstance(entry, dict):
        raise UsageError("This entry is neither text nor an object.")
    if {"orders", "reason", "first_seen", "last_seen", "notices"} <= entry.keys():
        block = _block(entry)
        return block.key, block
    for name in _ADDRESS_NAMES:
        if isinstance(entry.get(name), str):
            return parse_key(entry[name]).text, None
    raise UsageError("This entry has no address.")


def _block(entry: Mapping[str, Any]) -> Block:
    try:
        address = parse_key(entry["address"]).text if entry["address"] is not None else None
        orders = tuple(sorted({parse_key(order).text for order in entry["orders"]}))
        if not _are_in_right_fields(address, orders):
            raise UsageError("This block needs an address or an order ID, each in its own field.")
        return Block(
            address=address,
            orders=orders,
            marketplace=_text(entry["marketplace"]) if entry["marketplace"] is not None else None,
            reason=_REASONS[entry["reason"]],
            accounts=tuple(sorted({_text(account) for account in entry["accounts"]})),
            first_seen=_moment(entry["first_seen"]),
            last_seen=_moment(entry["last_seen"]),
            notices=_count(entry["notices"]),
            note=one_line(_text(entry["note"])),
        )
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("A field of this block is missing or is not what the JSON export writes.") from error


def _are_in_right_fields(address: str | None, orders: tuple[str, ...]) -> bool:
    no_aliases = all("@" not in order for order in orders)
    return no_aliases and ("@" in address if address is not None else bool(orders))


def _count(value: object) -> int:
    # In Python true is an int too; a sum beyond 64 bits could not be stored.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_NOTICES:
        raise TypeError("count")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return storable(value)


def _moment(value: object) -> datetime:
    if (found := moment(_text(value))) is None:
        raise ValueError("time")
    return whole_second(found)
