"""Read a file of keys in whatever form people have it. What becomes of the keys is the block list's business.

A file is read line by line, so its size does not matter; JSON that is not one entry a line has to fit in memory.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO

import orjson

from worker.block_list.changes import manual_block
from worker.block_list.formats import json_lists, tables
from worker.block_list.formats.lines import Line, as_utf8, lines_of
from worker.block_list.formats.model import MAX_KEYS, Found
from worker.block_list.keys import parse_key
from worker.block_list.model import Block
from worker.errors import UsageError

_SAMPLE = 64_000  # bytes
_MAX_JSON = 64_000_000  # bytes

# What a person may say about a file; the names of the export formats are taken too.
_KINDS = {
    "auto": "",
    "text": "table",
    "txt": "table",
    "orders": "table",
    "csv": "table",
    "tsv": "table",
    "mailgun": "table",
    "listmonk": "table",
    "report": "table",
    "json": "json",
    "sendgrid": "json",
    "postmark": "json",
    "ndjson": "ndjson",
    "ses": "ndjson",
}

FORMATS = tuple(_KINDS)
"""Names that read() takes as a format."""


def read(source: bytes | BinaryIO, format_name: str = "auto") -> Found:
    """Return what stands in a file.

    Raises UsageError, in one sentence, for a file that cannot be a list of keys: no text, no column with keys,
    JSON without a list, more than a million keys. Single lines that hold no key are in the answer.
    """
    if format_name not in _KINDS:
        raise UsageError(f"There is no import format {format_name!r}; choose one of {', '.join(FORMATS)}.")
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    sample = stream.read(_SAMPLE)
    kind = _KINDS[format_name] or _guess(sample)
    try:
        return _with_all_orders(_read(kind, sample, stream, report=format_name == "report"))
    except _TooManyKeysError as error:
        raise UsageError(
            f"The file holds more than {MAX_KEYS:,} keys (line {error}); split it, nothing was imported."
        ) from None


class _TooManyKeysError(Exception):
    """Reading ends here; the text is the number of the line."""


def _read(kind: str, sample: bytes, stream: BinaryIO, *, report: bool) -> Found:
    if kind == "table":
        return _read_table(lines_of(sample, stream), report=report)
    if kind == "export":
        return _read_export(lines_of(sample, stream))
    if kind == "ndjson":
        return _read_ndjson(lines_of(sample, stream))
    return _read_json(sample, stream)


def _guess(sample: bytes) -> str:
    text = as_utf8(sample).lstrip()
    if text[:1] not in (b"{", b"["):
        return "table"
    first, newline, following = text.partition(b"\n")
    if b'"buyerblock/1"' in first and first.rstrip().endswith(b"["):
        return "export"
    try:
        whole = isinstance(orjson.loads(first), dict)
    except ValueError:
        whole = False
    one_of_many = whole and following.lstrip()[:1] == b"{"
    lone_entry = (
        whole
        and not following.strip()
        and not any(name in first for name in (b'"blocks"', b'"Suppressions"'))
    )
    return "ndjson" if newline and (one_of_many or lone_entry) else "json"


def _read_table(lines: Iterator[Line], *, report: bool) -> Found:
    table, rest = tables.recognise(lines)
    report = report or table.report
    found = Found("report" if report else "table" if table.delimiter else "text")
    for line in rest:
        if line.problem:
            found.reject(line.number, _left_out(line))
        elif line.text.strip():
            cells = tables.cells_of(line.text, table.delimiter)
            if cells is None:
                found.reject(line.number, "The quotation marks of this line do not close.")
                continue
            if not any(cells):
                continue  # Excel writes rows of separators alone below a table
            row = tables.Row(line.number, cells)
            try:
                if report:
                    order, alias = tables.pair_in(row, table)
                    found.pairs[order] = alias
                else:
                    _take_row(found, row, table)
            except UsageError as error:
                found.reject(line.number, str(error))
    return found


def _take_row(found: Found, row: tables.Row, table: tables.Table) -> None:
    keys = tables.keys_in(row, table)
    for key, block in keys:
        orders = tables.orders_beside(row, table) if block is None and len(keys) == 1 and "@" in key else []
        _take(found, row.number, key, block or _with_orders(key, orders))


def _with_orders(key: str, orders: Iterable[str]) -> Block | None:
    """Return a block for an address with orders; its times are set when the import is made."""
    if not (distinct := tuple(sorted(set(orders)))):
        return None
    return replace(manual_block(parse_key(key), reason="imported", note="", at=UNDATED), orders=distinct)


def _with_all_orders(found: Found) -> Found:
    """Give each buyer the orders of all their lines; for the rest the first line counts."""
    for key, orders in found.more_orders.items():
        if (block := found.keys[key]) is not None:
            found.keys[key] = replace(block, orders=tuple(sorted(orders.union(block.orders))))
    return found


UNDATED = datetime.min.replace(tzinfo=UTC)
"""The time of a block that an import brings without one."""


def _read_export(lines: Iterator[Line]) -> Found:
    found = Found("json")
    header = next(lines, Line(1, "{}")).text
    try:
        promised = int(orjson.loads(header + "]}")["count"])
    except (ValueError, KeyError, TypeError, OverflowError):
        raise UsageError("The first line of this export is not as buyerblock writes it.") from None
    held = 0
    for line in lines:
        if line.text.strip() not in ("", "]}"):
            held += 1
            _take_json_line(found, line)
    if held != promised:
        raise UsageError(f"This export is cut off: it says {promised:,} blocks and holds {held:,}.")
    return found


def _read_ndjson(lines: Iterator[Line]) -> Found:
    found = Found("ndjson")
    for line in lines:
        if line.text.strip() or line.problem:
            _take_json_line(found, line)
    return found


def _take_json_line(found: Found, line: Line) -> None:
    if line.problem:
        found.reject(line.number, _left_out(line))
        return
    try:
        _take(found, line.number, *json_lists.key_of(json_lists.parse_line(line.text)))
    except UsageError as error:
        found.reject(line.number, str(error))
    except ValueError:
        found.reject(line.number, "The line is not JSON.")


def _left_out(line: Line) -> str:
    return f"Line {line.number:,} was left out: {line.problem}."


def _read_json(sample: bytes, rest: BinaryIO) -> Found:
    content = sample + rest.read(_MAX_JSON)
    if len(content) >= _MAX_JSON:
        raise UsageError(
            "This JSON file is too large to read at once; write it with one entry a line (NDJSON)."
        )
    found = Found("json")
    try:
        document = orjson.loads(as_utf8(content))
    except ValueError as error:
        raise UsageError(f"This file begins like JSON and is not: {error}.") from error
    for number, entry in enumerate(json_lists.objects_in(document), 1):
        try:
            _take(found, number, *json_lists.key_of(entry))
        except UsageError as error:
            found.reject(number, str(error))
    return found


def _take(found: Found, line: int, key: str, block: Block | None) -> None:
    if key in found.keys:
        found.duplicates += 1
        if block is not None:
            found.keys[key] = found.keys[key] or block
            found.more_orders.setdefault(key, set()).update(block.orders)
        return
    if len(found.keys) == MAX_KEYS:
        raise _TooManyKeysError(f"{line:,}")
    found.keys[key] = block
