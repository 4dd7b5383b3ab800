"""Escape cells that a spreadsheet would run as formulas in exports, and unescape them in imports."""

import re

# The start of a cell. A semicolon also starts one: it is the separator in countries with a decimal comma.
_BEGIN = r"(\A|[;|\t][\s\"]*)"
_FORMULA = r"('*[=+\-@＝＋－＠\t\r\n])"  # noqa: RUF001 - spreadsheets accept the full-width ones too


def escape_formula(cell: str) -> str:
    """Put an apostrophe before the start of a formula, also if it has apostrophes already."""
    return re.sub(_BEGIN + _FORMULA, r"\1'\2", cell)


def unescape_formula(cell: str) -> str:
    """Undo ``escape_formula``."""
    return re.sub(f"{_BEGIN}'{_FORMULA}", r"\1\2", cell)
