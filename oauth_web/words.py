"""What templates write often: times and numbers in words, and links to mails."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

from flask import Flask

from oauth_web.english import text
from oauth_web.services import services

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def span(seconds: float) -> str:
    """Return a length of time in its largest whole unit: ``40 seconds``, ``1 hour``."""
    whole = max(0, round(seconds))
    for unit, length in _UNITS:
        if whole >= length:
            return _counted(whole // length, unit)
    return _counted(0, "second")


def _counted(count: int, unit: str) -> str:
    return text(f"time.{unit}s", count=count)


def exactly(seconds: int) -> str:
    """Return a length of time in the largest unit that does not round it: ``90 seconds``, ``5 minutes``."""
    unit, length = next(it for it in _UNITS if seconds % it[1] == 0)
    return _counted(seconds // length, unit)


def lasting(length: timedelta | None) -> str:
    """Return a length of time in its largest whole unit."""
    return span(length.total_seconds() if length else 0)


def ago(moment: datetime) -> str:
    """Return how long ago a moment was."""
    passed = (services().app.clock.now() - moment).total_seconds()
    return text("time.now") if passed < 1 else text("time.ago", span=span(passed))


def until(moment: datetime) -> str:
    """Return how long it is until a moment."""
    left = (moment - services().app.clock.now()).total_seconds()
    return text("time.soon") if left < 1 else text("time.in", span=span(left))


def day(moment: datetime) -> str:
    """Return the date of a moment, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d")


def week(monday: date) -> str:
    """Return the day that a week begins on, without the year."""
    return f"{monday.day} {monday:%b}"


def number(value: int) -> str:
    """Return a whole number with separators between thousands."""
    return f"{value:,}"


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
        ago=ago, until=until, day=day, week=week, number=number, span=lasting, exactly=exactly
    )
    app.jinja_env.globals["mail_in_gmail"] = mail_in_gmail
