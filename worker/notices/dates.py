"""Find the day in a notice: when the seller sent the undelivered message."""

import re
from datetime import date

# The first letters of the months, in the languages of ``wording.py``.
_MONTHS = {
    1: "jan gen ene sty oca januari ocak",
    2: "feb fév fev lut şub",
    3: "mar mär mrt maa mars",
    4: "apr avr abr kwi nis",
    5: "may mag mai mei maj may",
    6: "jun giu juin cze haz",
    7: "jul lug juil lip tem",
    8: "aug ago aoû aou sie ağu",
    9: "sep set wrz eyl",
    10: "oct ott okt out paź eki",
    11: "nov lis kas",
    12: "dec dic déc dez gru ara",
}
_BY_NAME = {name: number for number, names in _MONTHS.items() for name in names.split()}

_YEAR = re.compile(r"20\d\d")
_ISO = re.compile(r"(?<!\d)(20\d\d)[-/.年] ?(\d{1,2})[-/.月] ?(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d-])(\d{1,2})[/.-](\d{1,2})[/.-](20\d\d)(?!\d)")
_DAY_MONTH = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º)? (?:de )?([^\W\d_]{3,10})\.? (?:de )?(20\d\d)(?!\d)"
)
_MONTH_DAY = re.compile(
    r"([^\W\d_]{3,10})\.? (\d{1,2})(?:st|nd|rd|th)?,? (?:[\d:]{5,8} [a-z]{3,4} )?(20\d\d)(?!\d)"
)


def find_day(folded: str, *, month_first: bool) -> date | None:
    """Return the only day in folded text, or None if there is none, or several.

    month_first: whether 9/10/2026 is in September.
    """
    days: set[date | None] = set()
    for year in _YEAR.finditer(folded):
        days.update(_days(folded[max(0, year.start() - 30) : year.end() + 12], month_first))
    days.discard(None)
    return days.pop() if len(days) == 1 else None


def _days(folded: str, month_first: bool) -> list[date | None]:
    found = [_date(int(year), int(month), int(day)) for year, month, day in _ISO.findall(folded)]
    for one, other, year in _NUMERIC.findall(folded):
        month, day = (one, other) if month_first else (other, one)
        found.append(_date(int(year), int(month), int(day)))
    for day, name, year in _DAY_MONTH.findall(folded):
        found.append(_date(int(year), _month(name), int(day)))
    for name, day, year in _MONTH_DAY.findall(folded):
        found.append(_date(int(year), _month(name), int(day)))
    return found


def _month(name: str) -> int:
    return _BY_NAME.get(name[:4]) or _BY_NAME.get(name[:3]) or 0


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
