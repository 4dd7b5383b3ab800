"""Filters for templates: times, dates and numbers, and links to mails."""

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


def span(duration: timedelta | None) -> str:
    """Return a duration in its largest whole unit: ``40 seconds``, ``1 hour``."""
    return _format(*_largest(max(0.0, duration.total_seconds() if duration else 0.0)))


def _largest(seconds: float) -> tuple[int, _Unit]:
    """Return a duration as a signed number of its largest whole unit."""
    whole = round(abs(seconds))
    unit, duration = next((it for it in _UNITS if whole >= it[1]), _UNITS[-1])
    return (whole // duration) * (1 if seconds > 0 else -1), unit


def _format(count: int, unit: _Unit, *, direction: bool = False) -> str:
    # With a lower threshold Babel would use weeks and months.
    duration = timedelta(**{f"{unit}s": count})
    return dates.format_timedelta(duration, unit, threshold=inf, add_direction=direction, locale=locale())


def exactly(seconds: int) -> str:
    """Return a duration in the largest unit that is exact: ``90 seconds``, ``5 minutes``."""
    unit, duration = next(it for it in _UNITS if seconds % it[1] == 0)
    return _format(seconds // duration, unit)


def ago(moment: datetime) -> str:
    """Return the time since a moment, such as ``5 minutes ago``."""
    elapsed = (services().app.clock.now() - moment).total_seconds()
    return text("time.now") if elapsed < 1 else _format(*_largest(-elapsed), direction=True)


def until(moment: datetime) -> str:
    """Return the time until a moment, such as ``in 5 minutes``."""
    remaining = (moment - services().app.clock.now()).total_seconds()
    return text("time.soon") if remaining < 1 else _format(*_largest(remaining), direction=True)


def day(moment: datetime) -> str:
    """Return the UTC date of a moment."""
    return languages.day(moment.astimezone(UTC).date())


def week(monday: date) -> str:
    """Return the first day of a week, without the year."""
    return dates.format_skeleton("MMMd", monday, locale=locale())


def number(value: int) -> str:
    """Return a number with thousands separators."""
    return numbers.format_decimal(value, locale=locale())


def mail_in_gmail(account: str, message_id: str) -> str:
    """Return the URL of a mail in Gmail. message_id: its Message-ID, or Gmail's own ID if it has none."""
    fragment = (
        f"search/rfc822msgid:{quote(message_id, safe='')}"
        if "@" in message_id
        else f"all/{quote(message_id)}"
    )
    return f"https://mail.google.com/mail/u/?authuser={quote(account, safe='')}#{fragment}"


def add_filters(app: Flask) -> None:
    app.jinja_env.filters.update(
        ago=ago, until=until, day=day, week=week, number=number, span=span, exactly=exactly
    )
    app.jinja_env.globals["mail_in_gmail"] = mail_in_gmail
