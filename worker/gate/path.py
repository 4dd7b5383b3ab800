"""Addresses in SMTP commands; RFC 5321 calls them paths."""

import re
from dataclasses import dataclass

_PATH = re.compile(
    r"\s*(?:<(?:@[^:<>\s]*:)?(?P<path>(?:\"(?:[^\"\\]|\\.)*\"|[^\s<>\"@]*)(?:@[^\s<>\"@]+)?)>|(?P<bare>[^\s<>\"]+))"
    r"(?:\s+(?P<options>[!-~\s]*))?"
)
_SIZE = re.compile(r"\bSIZE=(\d+)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Path:
    """An address as it was sent, without brackets and source route, and the options after it."""

    address: str
    options: str

    @property
    def size(self) -> int:
        """The announced size of the mail in bytes, 0 if there is none."""
        found = _SIZE.search(self.options)
        return int(found[1]) if found else 0

    def line(self, verb: bytes) -> bytes:
        """Return the command for the real server, without a line end."""
        text = f":<{self.address}>{' ' if self.options else ''}{self.options}"
        return verb + text.encode("utf-8", "surrogateescape")


def parse_path(arg: str | None, keyword: str) -> Path | None:
    """Return the path after ``FROM:`` or ``TO:``, None if there is no address."""
    if arg is None or arg[: len(keyword)].upper() != keyword:
        return None
    found = _PATH.fullmatch(arg, len(keyword))
    if found is None:
        return None
    address = found["bare"] if found["path"] is None else found["path"]
    # The real server must not see a line end that this parser did not see.
    if any(ord(char) < 32 or ord(char) == 127 for char in address):
        return None
    return Path(address, " ".join((found["options"] or "").split()))
