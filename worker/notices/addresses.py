"""Addresses, parsed as a whole: what merely contains an address of Amazon's is somebody else's."""

# ruff: noqa: RUF001 - brackets of Chinese and Japanese
import re

from worker.notices.aliases import INVISIBLE

# Letters of ASCII alone: others may only look like them.
PLAIN_LOCAL = re.compile(r"[A-Za-z0-9._+=&~!#$%*/^{|}'`-]+")
PLAIN_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")

_BETWEEN = re.compile(r"[\s<>()\[\]\",;＜＞（）「」，；、]+")
# What may surround an address: marks of direction, and bold letters in plain text.
_AROUND = "*'" + "".join(map(chr, INVISIBLE))
# Not the end of an address: <a@b.example>.c.example
_GOES_ON = re.compile(r"[>)\]][.-]\w")
_SCHEMES = ("mailto:", "smtp:")


def addresses_in(shown: str) -> set[str]:
    """Return the addresses in text, in lower case; what has an "@" and is none is an empty one among them."""
    words = {word.strip(_AROUND).lower() for word in _BETWEEN.split(shown) if "@" in word}
    for scheme in _SCHEMES:
        words = {word.removeprefix(scheme) for word in words}
    return {word if _is_plain(word) else "" for word in words}


def only_address(shown: str) -> str:
    """Return the one address in a From as mail programs show it, in lower case; empty if there is none, or a doubt.

    It may be there twice, as in ``a@b.example <mailto:a@b.example>``, but each "@" has to be part of it.
    """
    found = addresses_in(shown)
    return found.pop() if len(found) == 1 and not _GOES_ON.search(shown) else ""


def _is_plain(address: str) -> bool:
    local, _, domain = address.partition("@")
    return bool(PLAIN_LOCAL.fullmatch(local) and PLAIN_DOMAIN.fullmatch(domain))
