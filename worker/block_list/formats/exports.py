"""Export formats for mailing tools: one table, one row per format.

Every writer takes the number of blocks and their stored documents, and yields the file in chunks.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from itertools import chain, islice
from typing import Any, TypeVar

import orjson

from worker.block_list.documents import PRIVATE, PUBLIC
from worker.block_list.formats.formulas import escape_formula
from worker.block_list.model import refusal_text
from worker.database import format_time, parse_time
from worker.errors import UsageError

_BLOCKS_PER_CHUNK = 200

_T = TypeVar("_T")
Row = dict[str, Any]
Writer = Callable[[int, Iterable[Row], datetime], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table. reader: the tools that read the format, for people."""

    name: str
    extension: str
    write: Writer
    reader: str

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self.extension]


_CONTENT_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def export_format(name: str) -> Format:
    """Return the format of this name. Raises UsageError for an unknown one."""
    if name not in FORMATS:
        raise UsageError(
            "There is no export format {name!r}; choose one of {formats}.",
            name=name,
            formats=", ".join(FORMATS),
        )
    return FORMATS[name]


def _json(count: int, blocks: Iterable[Row], exported_at: datetime) -> Iterator[bytes]:
    start = f'{{"format": "buyerblock/1", "exported_at": "{format_time(exported_at)}", "count": {count}, "blocks": ['
    return _array(start.encode(), map(public_json, blocks), b"\n]}\n" if count else b"]}\n")


def _ndjson(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(map(public_json, blocks))


def _csv(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return csv_table(PUBLIC, ([escape_formula(str(cell)) for cell in _cells(row)] for row in blocks))


def _csv_bom(count: int, blocks: Iterable[Row], exported_at: datetime) -> Iterator[bytes]:
    return chain([codecs.BOM_UTF8], _csv(count, blocks, exported_at))


def _xlsx(count: int, blocks: Iterable[Row], exported_at: datetime) -> Iterator[bytes]:
    from worker.block_list.formats.workbook import workbook  # noqa: PLC0415 - loaded only when needed

    return workbook(PUBLIC, count, map(_cells, blocks), exported_at)


def _tinydb(count: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    documents = (b'"%d": %b' % (number, public_json(row)) for number, row in enumerate(blocks, 1))
    return _array(b'{"_default": {', documents, b"\n}}\n" if count else b"}}\n")


def _postfix(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(
        f"{row['address']}\t550 5.7.1 {refusal_text(row['address'], _seen(row).date())}".encode()
        for row in _buyers(blocks)
    )


def _txt(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(row["address"].encode() for row in _buyers(blocks))


def _orders(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(dict.fromkeys(order.encode() for row in blocks for order in row["orders"]))


def _mailgun(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    # The tag * means: unsubscribed from everything.
    rows = ([row["address"], "*", format_datetime(_seen(row), usegmt=True)] for row in _buyers(blocks))
    return csv_table(("address", "tags", "created_at"), rows)


def _ses(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    return _lines(
        orjson.dumps({"emailAddress": row["address"], "reason": "COMPLAINT"}) for row in _buyers(blocks)
    )


def _sendgrid(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    entries = ({"created": int(_seen(row).timestamp()), "email": row["address"]} for row in _buyers(blocks))
    return _array(b"[", map(orjson.dumps, entries), b"\n]\n")


def _postmark(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    entries = ({"EmailAddress": row["address"]} for row in _buyers(blocks))
    return _array(b'{"Suppressions": [', map(orjson.dumps, entries), b"\n]}\n")


def _listmonk(_: int, blocks: Iterable[Row], __: datetime) -> Iterator[bytes]:
    def cells(row: Row) -> list[str]:
        attributes = {"orders": row["orders"], "reason": row["reason"], "first_seen": row["first_seen"]}
        return [row["address"], row["address"].partition("@")[0], orjson.dumps(attributes).decode()]

    return csv_table(("email", "name", "attributes"), map(cells, _buyers(blocks)))


_TABLE = (
    Format("json", "json", _json, "buyerblock import, any program"),
    Format("ndjson", "ndjson", _ndjson, "programs that read line by line"),
    Format("csv", "csv", _csv, "spreadsheets"),
    Format("txt", "txt", _txt, "tools that take one address a line"),
    Format("orders", "txt", _orders, "tools that take one order ID a line"),
    Format("mailgun", "csv", _mailgun, "Mailgun, unsubscribes"),
    Format("ses", "ndjson", _ses, "Amazon SES, suppression list"),
    Format("sendgrid", "json", _sendgrid, "SendGrid, global unsubscribes"),
    Format("postmark", "json", _postmark, "Postmark, suppressions"),
    Format("listmonk", "csv", _listmonk, "listmonk, import in mode blocklist"),
    Format("csv-bom", "csv", _csv_bom, "Excel on Windows, which without a byte-order mark garbles accents"),
    Format("xlsx", "xlsx", _xlsx, "Excel, LibreOffice, Google Sheets"),
    Format("postfix", "txt", _postfix, "Postfix, access map for postmap"),
    Format("tinydb", "json", _tinydb, "Python programs, by TinyDB(path)"),
)

FORMATS: dict[str, Format] = {row.name: row for row in _TABLE}


def public_json(row: Row) -> bytes:
    """Return a stored document as in the JSON export. This changes the document."""
    for name in PRIVATE:
        row.pop(name, None)
    return orjson.dumps(row)


def with_mark(name: str) -> str:
    """Return the name of the format with a byte-order mark. Raises UsageError if there is none."""
    if name not in ("csv", "csv-bom"):
        raise UsageError("Only csv can have a byte-order mark, and not {name}.", name=name)
    return "csv-bom"


def _cells(row: Row) -> list[str | int]:
    joined = {**row, "orders": " ".join(row["orders"]), "accounts": " ".join(row["accounts"])}
    return ["" if joined[name] is None else joined[name] for name in PUBLIC]


def _buyers(blocks: Iterable[Row]) -> Iterator[Row]:
    return (row for row in blocks if row["address"] is not None)


def _seen(row: Row) -> datetime:
    return parse_time(row["first_seen"])


def _chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(values)
    while chunk := list(islice(rest, _BLOCKS_PER_CHUNK)):
        yield chunk


def _lines(values: Iterable[bytes]) -> Iterator[bytes]:
    return (b"\n".join(chunk) + b"\n" for chunk in _chunks(values))


def _array(start: bytes, values: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    yield start
    separator = b"\n"
    for chunk in _chunks(values):
        yield separator + b",\n".join(chunk)
        separator = b",\n"
    yield end


def csv_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yield a header and rows as CSV, in chunks."""
    for chunk in _chunks(chain([header], rows)):
        buffer = io.StringIO()
        csv.writer(buffer).writerows(chunk)
        yield buffer.getvalue().encode()
