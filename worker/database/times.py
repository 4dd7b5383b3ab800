"""Stored times: RFC 3339 in UTC, so that they sort as text."""

from datetime import UTC, datetime


def format_time(moment: datetime) -> str:
    """Return RFC 3339 in UTC; whole seconds have no fraction."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)
