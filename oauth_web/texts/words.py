"""What templates write often: times and numbers in words, and links to mails."""

from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import Literal
from urllib.parse import quote

from babel import dates, numbers
from flask import Flask

from oauth_web.services import services
from oauth_web.texts import languages
from oauth_web.texts.english import text
from oauth_web.texts.languages import locale

_Unit = Literal["day", "hour", "minute", "second"]
_UNITS: tuple[tuple[_Unit, int], ...] = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def span(length: timedelta | None) -> str:
    """Return a length of time in its largest whole unit: ``40 seconds``, ``1 hour``."""
    return _spelt(*_largest(max(0.0, length.total_seconds() if length else 0.0)))


def _largest(seconds: float) -> tuple[int, _Unit]:
    """Return a length of time in its largest whole unit, with its sign."""
    whole = round(abs(seconds))
    unit, length = next((it for it in _UNITS if whole >= it[1]), _UNITS[-1])
    return (whole // length) * (1 if seconds > 0 else -1), unit


def _spelt(count: int, unit: _Unit, *, direction: bool = False) -> str:
    # Beyond the threshold, Babel would go on to weeks and months.
    length = timedelta(**{f"{unit}s": count})
    return dates.format_timedelta(length, unit, threshold=inf, add_direction=direction, locale=locale())


def exactly(seconds: int) -> str:
    """Return a length of time in the largest unit that does not round it: ``90 seconds``, ``5 minutes``."""
    unit, length = next(it for it in _UNITS if seconds % it[1] == 0)
    return _spelt(seconds // length, unit)


def ago(moment: datetime) -> str:
    """Return how long ago a moment was."""
    passed = (services().app.clock.now() - moment).total_seconds()
    return text("time.now") if passed < 1 else _spelt(*_largest(-passed), direction=True)


def until(moment: datetime) -> str:
    """Return how long it is until a moment."""
    left = (moment - services().app.clock.now()).total_seconds()
    return text("time.soon") if left < 1 else _spelt(*_largest(left), direction=True)


def day(moment: datetime) -> str:
    """Return the date of a moment, in UTC."""
    return languages.day(moment.astimezone(UTC).date())


def week(monday: date) -> str:
    """Return the day that a week begins on, without the year."""
    return dates.format_skeleton("MMMd", monday, locale=locale())


def number(value: int) -> str:
    """Return a whole number with separators between thousands."""
    return numbers.format_decimal(value, locale=locale())


def mail_in_gmail(account: str, message_id: str) -> str:
    """Return the address that shows a mail in Gmail. message_id: its Message-ID, or Gmail's own id without one."""
    place = (
        f"search/rfc822msgid:{quote(message_id, safe='')}"
        if "@" in message_id
        else f"all/{quote(message_id)}"
    )
    return f"https://mail.google.com/mail/u/?authuser={quote(account, safe='')}#{place}"


def add_filters(app: Flask) -> None:
    """Make these words known to the templates."""
    app.jinja_env.filters.update(
        ago=ago, until=until, day=day, week=week, number=number, span=span, exactly=exactly
    )
    app.jinja_env.globals["mail_in_gmail"] = mail_in_gmail
