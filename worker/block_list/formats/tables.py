"""Tables with keys: find the columns with addresses and order IDs by name or by content."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

from worker.block_list.documents import PUBLIC
from worker.block_list.formats import json_lists
from worker.block_list.formats.formulas import unescape_formula
from worker.block_list.formats.lines import Line
from worker.block_list.formats.model import UNDATED
from worker.block_list.keys import Key, parse_key
from worker.block_list.model import Block, block_for
from worker.errors import UsageError

_SAMPLE_LINES = 200
# Column names of sellers' tools and mailing services, in lower case without spaces, hyphens and underscores.
_ADDRESS_NAMES = {"address", "email", "emailaddress", "buyeremail", "buyer", "alias", "mail", "recipient"}
_ORDER_NAMES = {"order", "orders", "orderid", "orderids", "amazonorderid", "ordernumber"}
# Columns that only Amazon's order reports have. A report lists all buyers, so it must block nobody.
_REPORT_NAMES = {"purchasedate", "paymentsdate", "orderitemid", "sku", "asin", "quantitypurchased"}


@dataclass(frozen=True, slots=True)
class Table:
    """How to read the rows. addresses, orders: column numbers. report: an order report of Amazon."""

    delimiter: str
    names: list[str]
    addresses: list[int]
    orders: list[int]
    report: bool


def recognise(lines: Iterator[Line]) -> tuple[Table, Iterator[Line]]:
    """Return how to read a file, and its lines without the header.

    Raises UsageError if no column contains keys, or an order report contains no addresses.
    """
    sample = list(islice(lines, _SAMPLE_LINES))
    texts = [line for line in sample if line.text.strip(" ,;\t")]
    skipped = []
    if delimiter := _declared_delimiter(texts[0].text) if texts else "":
        skipped.append(texts.pop(0).number)
    else:
        delimiter = _delimiter([line.text for line in texts])
    rows = [cells_of(line.text, delimiter) or [] for line in texts]
    header = rows[0] if rows and _is_header(rows[0]) else []
    names = [_plain(name) for name in header]
    body = rows[1:] if header else rows
    table = Table(
        delimiter,
        [name.strip().lower() for name in header],
        _columns(names, _ADDRESS_NAMES) or _columns_by_content(body, "alias"),
        _columns(names, _ORDER_NAMES) or _columns_by_content(body, "order"),
        bool(_REPORT_NAMES & set(names)),
    )
    if table.report and not table.addresses:
        raise UsageError(
            "This order report has no column with the buyers' addresses; ask Amazon for one that has."
        )
    if delimiter and body and not (table.addresses or table.orders):
        raise UsageError("No column of this file holds buyers' addresses or order IDs.")
    if header:
        skipped.append(texts[0].number)
    return table, (line for line in chain(sample, lines) if line.number not in skipped)


def cells_of(text: str, delimiter: str) -> list[str] | None:
    """Return the cells of a line, or None if a quotation mark is not closed."""
    if not delimiter:
        return [text.strip()]
    if delimiter == "\t":
        # Amazon's reports do not quote: a quotation mark is part of a product's name.
        return [cell.strip().strip('"') for cell in text.split("\t")]
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter, strict=True), [])]
    except csv.Error:
        return None


def keys_in(cells: list[str], table: Table) -> list[tuple[str, Block | None]]:
    """Return the keys of a row: aliases, else orders. A single alias also gets the orders of the row.

    Raises UsageError if there is no key.
    """
    if set(PUBLIC) <= set(table.names):  # our own CSV export
        return [json_lists.key_of(_as_exported(cells, table))]
    addresses, orders = _split(cells, table.addresses), _split(cells, table.orders)
    if not table.addresses and not table.orders:
        addresses = cells
    if not addresses and not orders:
        raise UsageError("The line has no address and no order ID.")
    keys = [parse_key(text) for text in addresses or orders]
    if len(keys) == 1 and keys[0].kind == "alias":
        return [(keys[0].text, _with_orders(keys[0], orders))]
    return [(key.text, None) for key in keys]


def pair_in(cells: list[str], table: Table) -> tuple[str, str]:
    """Return order ID and alias of an order report's row. Raises UsageError if one is missing."""
    keys = [_parse(text) for text in (*_split(cells, table.orders)[:1], *_split(cells, table.addresses)[:1])]
    if [key.kind for key in keys if key] != ["order", "alias"]:
        raise UsageError("The line does not name both an order ID and a buyer's address.")
    order, alias = (key.text for key in keys if key)
    return order, alias


def _with_orders(alias: Key, texts: Iterable[str]) -> Block | None:
    orders = {key.text for text in texts if (key := _parse(text)) and key.kind == "order"}
    if not orders:
        return None
    block = block_for(alias, reason="imported", at=UNDATED)
    return replace(block, orders=tuple(sorted(orders)))


def _declared_delimiter(first: str) -> str:
    """Return the separator of a first line such as ``sep=;``, which Excel reads, else an empty text."""
    found = re.fullmatch(r"sep=([\t;,])", first, re.IGNORECASE)
    return found[1] if found else ""


def _delimiter(texts: list[str]) -> str:
    """Return the separator in most lines; an empty text if less than half of the lines have one."""
    counts = {mark: sum(mark in text for text in texts) for mark in ("\t", ";", ",")}
    best = max(counts, key=lambda mark: counts[mark])
    return best if texts and counts[best] * 2 >= len(texts) and counts[best] > 0 else ""


def _is_header(cells: list[str]) -> bool:
    known = _ADDRESS_NAMES | _ORDER_NAMES | _REPORT_NAMES
    if any(_parse(part) for cell in cells for part in cell.split()):
        return False
    return len(cells) > 1 or any(_plain(cell) in known for cell in cells)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.strip("'\"\ufeff ")).lower()


def _columns(names: list[str], wanted: set[str]) -> list[int]:
    return [number for number, name in enumerate(names) if name in wanted]


def _columns_by_content(rows: list[list[str]], kind: str) -> list[int]:
    width = max(map(len, rows), default=0)
    if width == 1:
        return []  # a single column may contain both kinds
    return [
        column
        for column in range(width)
        if any(
            (key := _parse(row[column])) is not None and key.kind == kind for row in rows if column < len(row)
        )
    ]


def _split(cells: list[str], columns: Iterable[int]) -> list[str]:
    wanted = (cells[column] for column in columns if column < len(cells))
    return [part for cell in wanted for part in re.split(r"[\s,;|]+", cell) if part]


def _as_exported(row: list[str], table: Table) -> dict[str, object]:
    cells = dict(zip(table.names, map(unescape_formula, row), strict=False))
    return {
        **cells,
        "address": cells.get("address") or None,
        "orders": cells.get("orders", "").split(),
        "accounts": cells.get("accounts", "").split(),
        "marketplace": cells.get("marketplace") or None,
        "notices": int(number) if (number := cells.get("notices", "")).isdecimal() else number,
    }


def _parse(text: str) -> Key | None:
    try:
        return parse_key(text)
    except UsageError:
        return None
