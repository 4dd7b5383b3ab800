"""Parse numbers, times, hosts and addresses from people and other programs."""

import ipaddress
import re
from datetime import UTC, datetime, timedelta

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ].+)?", re.ASCII)

ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]+\.[^\s@<>,;\".]{2,}")
ADDRESS_OR_DOMAIN = re.compile(rf"{ADDRESS.pattern}|(?:[\w-]+\.)+[\w-]{{2,}}")


def whole_number(text: str, least: int, most: int) -> int | None:
    """Parse a whole number from least to most, both inclusive; None for anything else."""
    # At most nine digits: Python raises an error for thousands of them.
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        return None
    return int(text)


def moment(text: str) -> datetime | None:
    """Parse a time such as 2026-11-23T10:00:00Z, or a day, which means its start; None for anything else.

    The result is in UTC; so is a time without a zone.
    """
    try:
        found = datetime.fromisoformat(text.upper() if _TIME.fullmatch(text) else "")
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        # Comparisons round up to a whole second, so that second must exist.
        found + timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    return found


def is_loopback(host: str | None) -> bool:
    """Return whether a host name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
