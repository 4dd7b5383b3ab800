"""Numbers, times, hosts and addresses as people and other programs write them."""

import ipaddress
import re
from datetime import UTC, datetime, timedelta

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ].+)?", re.ASCII)

ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]+\.[^\s@<>,;\".]{2,}")
ADDRESS_OR_DOMAIN = re.compile(rf"{ADDRESS.pattern}|(?:[\w-]+\.)+[\w-]{{2,}}")


def whole_number(text: str, least: int, most: int) -> int | None:
    """Return the whole number that a text is, None if it is none from least to most."""
    # Nine digits are plenty, and Python refuses to convert some thousand of them.
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        return None
    return int(text)


def moment(text: str) -> datetime | None:
    """Return a time such as 2026-11-23T10:00:00Z, or the beginning of a day, in UTC; None for anything else.

    A time without a zone is taken to be in UTC.
    """
    try:
        found = datetime.fromisoformat(text.upper() if _TIME.fullmatch(text) else "")
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        # Stored times are whole seconds, and comparing rounds up: there must be a second after it.
        found + timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    return found


def is_loopback(host: str | None) -> bool:
    """Return whether a host name or address means this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
