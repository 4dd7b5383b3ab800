"""Cells that a spreadsheet would run as formulas: made harmless in exports, and read back as they were."""

import re

# Where a cell begins, also behind a semicolon, which is the separator where numbers have a decimal comma.
_BEGIN = r"(\A|[;|\t][\s\"]*)"
_FORMULA = r"('*[=+\-@＝＋－＠\t\r\n])"  # noqa: RUF001 - spreadsheets take the wide ones, too


def harmless(cell: str) -> str:
    """Put an apostrophe before whatever begins like a formula, and before those that are there already."""
    return re.sub(_BEGIN + _FORMULA, r"\1'\2", cell)


def original(cell: str) -> str:
    """Return what ``harmless`` was given."""
    return re.sub(f"{_BEGIN}'{_FORMULA}", r"\1\2", cell)
