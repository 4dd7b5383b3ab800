"""Read the keys of a file in any common format.

Files are read line by line, so their size does not matter; only JSON without one entry per line must fit in memory.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO, TypeVar

import orjson

from worker.block_list.formats import json_lists, tables
from worker.block_list.formats.lines import Line, as_utf8, lines_of
from worker.block_list.formats.model import MAX_KEYS, Found
from worker.block_list.model import Block
from worker.errors import UsageError
from worker.sentences import Sentence

_T = TypeVar("_T")
_SAMPLE = 64_000  # bytes
_MAX_JSON = 64_000_000  # bytes

# Format names that a person may give. All names of export formats are accepted except xlsx.
_KINDS = {
    "auto": "",
    "text": "table",
    "txt": "table",
    "orders": "table",
    "csv": "table",
    "tsv": "table",
    "mailgun": "table",
    "listmonk": "table",
    "csv-bom": "table",
    "postfix": "table",
    "report": "table",
    "json": "json",
    "sendgrid": "json",
    "postmark": "json",
    "tinydb": "json",
    "ndjson": "ndjson",
    "ses": "ndjson",
}

FORMATS = tuple(_KINDS)
"""The format names that read() accepts."""


def read(source: bytes | BinaryIO, format_name: str = "auto") -> Found:
    """Return the keys of a file, and the rejected lines.

    Raises UsageError for a file that is no list of keys: no text, no column with keys, JSON without a list, more than
    MAX_KEYS keys.
    """
    if format_name not in _KINDS:
        raise UsageError(
            "There is no import format {format_name!r}; choose one of {formats}.",
            format_name=format_name,
            formats=", ".join(FORMATS),
        )
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    sample = stream.read(_SAMPLE)
    kind = _KINDS[format_name] or _guess(sample)
    if kind == "json":
        return _collect(Found("json"), enumerate(_entries(sample, stream), 1), _keys_of_entry)
    lines = lines_of(sample, stream)
    if kind == "table":
        return _read_table(lines, report=format_name == "report")
    return (
        _read_export(lines)
        if kind == "export"
        else _collect(Found("ndjson"), _numbered(lines), _keys_of_line)
    )


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

    def keys_of(line: Line) -> Iterable[tuple[str, Block | None]]:
        cells = tables.cells_of(_text_of(line), table.delimiter)
        if cells is None:
            raise UsageError("The quotation marks of this line do not close.")
        if not any(cells):
            return ()  # Excel writes rows with only separators below a table
        if not report:
            return tables.keys_in(cells, table)
        order, alias = tables.pair_in(cells, table)
        found.pairs[order] = alias
        return ()

    return _collect(found, _numbered(rest), keys_of)


def _read_export(lines: Iterator[Line]) -> Found:
    header = next(lines, Line(1, "{}")).text
    try:
        stated = int(orjson.loads(header + "]}")["count"])
    except (ValueError, KeyError, TypeError, OverflowError):
        raise UsageError("The first line of this export is not as buyerblock writes it.") from None
    blocks = _numbered(line for line in lines if line.text.strip() not in ("", "]}"))
    found = _collect(Found("json"), blocks, _keys_of_line)
    held = len(found.keys) + found.duplicates + found.rejected_count
    if held != stated:
        raise UsageError(
            "This export is cut off: it says {promised} blocks and holds {held}.",
            promised=stated,
            held=held,
        )
    return found


def _entries(sample: bytes, rest: BinaryIO) -> Iterator[object]:
    content = sample + rest.read(_MAX_JSON)
    if len(content) >= _MAX_JSON:
        raise UsageError(
            "This JSON file is too large to read at once; write it with one entry a line (NDJSON)."
        )
    try:
        document = orjson.loads(as_utf8(content))
    except ValueError as error:
        raise UsageError("This file begins like JSON and is not: {error}.", error=error) from error
    return json_lists.objects_in(document)


def _keys_of_entry(entry: object) -> Iterable[tuple[str, Block | None]]:
    return (json_lists.key_of(entry),)


def _keys_of_line(line: Line) -> Iterable[tuple[str, Block | None]]:
    text = _text_of(line).rstrip().removesuffix(",")
    if not text:
        return ()
    try:
        entry = orjson.loads(text)
    except ValueError:
        raise UsageError("The line is not JSON.") from None
    return _keys_of_entry(entry)


def _numbered(lines: Iterable[Line]) -> Iterator[tuple[int, Line]]:
    return ((line.number, line) for line in lines)


def _text_of(line: Line) -> str:
    if line.problem:
        raise UsageError("Line {number} was left out: {problem}.", number=line.number, problem=line.problem)
    return line.text


def _collect(
    found: Found,
    numbered: Iterable[tuple[int, _T]],
    keys_of: Callable[[_T], Iterable[tuple[str, Block | None]]],
) -> Found:
    """Add the keys of all entries, and reject entries without one. A buyer gets the orders of all its entries."""
    more_orders: dict[str, set[str]] = {}
    for number, entry in numbered:
        try:
            keys = keys_of(entry)
        except UsageError as error:
            found.reject(number, Sentence(error.template, **error.fields))
            continue
        for key, block in keys:
            if key not in found.keys:
                found.keys[key] = block
                continue
            found.duplicates += 1
            if block is not None:
                found.keys[key] = found.keys[key] or block
                more_orders.setdefault(key, set()).update(block.orders)
        if len(found.keys) > MAX_KEYS:
            raise UsageError(
                "The file holds more than {most} keys (line {number}); split it, nothing was imported.",
                most=MAX_KEYS,
                number=number,
            )
    for key, orders in more_orders.items():
        if (block := found.keys[key]) is not None:
            found.keys[key] = replace(block, orders=tuple(sorted(orders.union(block.orders))))
    return found
