"""The block list in the formats that mailing tools read: one table, one row a format.

Every writer takes the number of blocks and their stored documents, and yields the file in pieces. What a format
cannot say is in its row.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from itertools import islice
from typing import Any

import orjson

from worker.block_list.documents import PRIVATE, PUBLIC
from worker.block_list.formats.formulas import harmless
from worker.database import format_time, parse_time
from worker.errors import UsageError

_BLOCKS_PER_PIECE = 200

Row = dict[str, Any]
Writer = Callable[[int, Iterable[Row], datetime], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table. loses: what the format cannot express, for the documentation."""

    name: str
    extension: str
    content_type: str
    write: Writer
    reader: str
    loses: str


def export_format(name: str) -> Format:
    """Return the format of this name. Raises UsageError, naming those that there are."""
    if name not in FORMATS:
        raise UsageError(f"There is no export format {name!r}; choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def _json(count: int, blocks: Iterable[Row], exported_at: datetime) -> Iterator[bytes]:
    yield (
        f'{{"format": "buyerblock/1", "exported_at": "{format_time(exported_at)}", "count": {count}, '
        '"blocks": ['
    ).encode()
    yield from _separated(map(public_part, blocks), before=b"\n", between=b",\n")
    yield b"\n]}\n" if count else b"]}\n"


def _ndjson(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(map(public_part, blocks))


def _csv(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    def cells(row: Row) -> list[str]:
        joined = {**row, "orders": " ".join(row["orders"]), "accounts": " ".join(row["accounts"])}
        return [harmless("" if joined[name] is None else str(joined[name])) for name in PUBLIC]

    return _table(PUBLIC, map(cells, blocks))


def _txt(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(row["address"].encode() for row in _buyers(blocks))


def _orders(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(dict.fromkeys(order.encode() for row in blocks for order in row["orders"]))


def _mailgun(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    # The tag * means: unsubscribed from everything.
    rows = ([row["address"], "*", format_datetime(_seen(row), usegmt=True)] for row in _buyers(blocks))
    return _table(("address", "tags", "created_at"), rows)


def _ses(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(_dump({"emailAddress": row["address"], "reason": "COMPLAINT"}) for row in _buyers(blocks))


def _sendgrid(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    yield b"["
    entries = (
        _dump({"created": int(_seen(row).timestamp()), "email": row["address"]}) for row in _buyers(blocks)
    )
    yield from _separated(entries, before=b"\n", between=b",\n")
    yield b"\n]\n"


def _postmark(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    yield b'{"Suppressions": ['
    entries = (_dump({"EmailAddress": row["address"]}) for row in _buyers(blocks))
    yield from _separated(entries, before=b"\n", between=b",\n")
    yield b"\n]}\n"


def _listmonk(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    def cells(row: Row) -> list[str]:
        attributes = {"orders": row["orders"], "reason": row["reason"], "first_seen": row["first_seen"]}
        return [row["address"], row["address"].partition("@")[0], _dump(attributes).decode()]

    return _table(("email", "name", "attributes"), map(cells, _buyers(blocks)))


_BY_ORDER = "blocks known by their order alone"
_MOSTLY_LOST = f"{_BY_ORDER}; orders, notices, notes, accounts"

_TABLE = (
    Format("json", "json", "application/json", _json, "buyerblock import, any program", "the evidence"),
    Format(
        "ndjson", "ndjson", "application/x-ndjson", _ndjson, "programs that read line by line", "the evidence"
    ),
    Format("csv", "csv", "text/csv; charset=utf-8", _csv, "spreadsheets", "the evidence"),
    Format(
        "txt", "txt", "text/plain; charset=utf-8", _txt, "tools that take one address a line", _MOSTLY_LOST
    ),
    Format(
        "orders",
        "txt",
        "text/plain; charset=utf-8",
        _orders,
        "tools that take one order ID a line",
        "addresses",
    ),
    Format("mailgun", "csv", "text/csv; charset=utf-8", _mailgun, "Mailgun, unsubscribes", _MOSTLY_LOST),
    Format(
        "ses",
        "ndjson",
        "application/x-ndjson",
        _ses,
        "Amazon SES, suppression list",
        f"{_MOSTLY_LOST}; the reason, since SES knows bounces and complaints only",
    ),
    Format("sendgrid", "json", "application/json", _sendgrid, "SendGrid, global unsubscribes", _MOSTLY_LOST),
    Format(
        "postmark", "json", "application/json", _postmark, "Postmark, suppressions", f"{_MOSTLY_LOST}; times"
    ),
    Format(
        "listmonk",
        "csv",
        "text/csv; charset=utf-8",
        _listmonk,
        "listmonk, import in mode blocklist",
        _BY_ORDER,
    ),
)

FORMATS: dict[str, Format] = {row.name: row for row in _TABLE}


def public_part(row: Row) -> bytes:
    """Return what the JSON export shows of a stored document, which is given up for it."""
    for name in PRIVATE:
        row.pop(name, None)
    return orjson.dumps(row)


def _buyers(blocks: Iterable[Row]) -> Iterator[Row]:
    return (row for row in blocks if row["address"] is not None)


def _seen(row: Row) -> datetime:
    return parse_time(row["first_seen"])


def _dump(value: object) -> bytes:
    return orjson.dumps(value)


def _lines(values: Iterable[bytes]) -> Iterator[bytes]:
    rest = iter(values)
    while piece := list(islice(rest, _BLOCKS_PER_PIECE)):
        yield b"\n".join(piece) + b"\n"


def _separated(values: Iterable[bytes], *, before: bytes, between: bytes) -> Iterator[bytes]:
    rest = iter(values)
    while piece := list(islice(rest, _BLOCKS_PER_PIECE)):
        yield before + between.join(piece)
        before = between


def _table(header: Sequence[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    rest = iter([list(header)])
    body = iter(rows)
    while piece := list(rest) or list(islice(body, _BLOCKS_PER_PIECE)):
        buffer = io.StringIO()
        csv.writer(buffer).writerows(piece)
        yield buffer.getvalue().encode()
