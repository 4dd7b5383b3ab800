"""Write a table as an Excel workbook, row by row through a temporary file, with only one row in memory."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from xlsxwriter import Workbook

from worker.block_list.formats.formulas import escape_formula
from worker.errors import UsageError

MAX_ROWS = 1_048_575  # of a sheet, below the header
MAX_CELL = 32_767  # characters
_CHUNK = 65_536  # bytes
_WIDTH = 24  # characters

Cell = str | int


def workbook(
    header: Sequence[str], count: int, rows: Iterable[Sequence[Cell]], made_at: datetime
) -> Iterator[bytes]:
    """Yield a workbook of one sheet, in chunks. No text becomes a formula.

    count: the number of rows. Raises UsageError if it is more than MAX_ROWS.
    """
    if count > MAX_ROWS:
        raise UsageError(
            "Excel takes {most} rows in a sheet, and here are {count}; narrow the list, or export it as csv.",
            most=MAX_ROWS,
            count=count,
        )
    return _written(header, rows, made_at)


def _written(header: Sequence[str], rows: Iterable[Sequence[Cell]], made_at: datetime) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        book = Workbook(file, {"constant_memory": True})
        book.set_properties({"created": made_at.replace(tzinfo=None)})
        sheet = book.add_worksheet("buyerblock")
        # Like a typed apostrophe before it: the cell stays a text when somebody edits it.
        text_mark = book.add_format({"quote_prefix": True})
        sheet.set_column(0, len(header) - 1, _WIDTH)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, header, book.add_format({"bold": True}))
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                _write(sheet, number, column, cell, text_mark)
        book.close()
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _write(sheet: Any, row: int, column: int, cell: Cell, text_mark: Any) -> None:
    if isinstance(cell, int):
        sheet.write_number(row, column, cell)
        return
    text = cell[:MAX_CELL]
    if text.startswith("<r>") and text.endswith("</r>"):
        # In two parts: XlsxWriter would write the whole text as XML.
        sheet.write_rich_string(row, column, text[:1], text_mark, text[1:])
    else:
        sheet.write_string(row, column, text, text_mark if escape_formula(text) != text else None)
