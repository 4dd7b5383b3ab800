"""Parse whole addresses: a longer address that contains one of Amazon's is not Amazon's."""

# ruff: noqa: RUF001 - brackets of Chinese and Japanese
import re

from worker.notices.aliases import INVISIBLE

# Only ASCII: other letters may be lookalikes.
PLAIN_LOCAL = re.compile(r"[A-Za-z0-9._+=&~!#$%*/^{|}'`-]+")
PLAIN_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")

_SEPARATORS = re.compile(r"[\s<>()\[\]\",;＜＞（）「」，；、]+")
# Around an address: text direction marks, and the marks of bold text in plain text.
_SURROUNDING = "*'" + "".join(map(chr, INVISIBLE))
# The address continues: <a@b.example>.c.example
_CONTINUED = re.compile(r"[>)\]][.-]\w")
_SCHEMES = ("mailto:", "smtp:")


def addresses_in(shown: str) -> set[str]:
    """Return the addresses in text, in lower case. A word with "@" that is no address gives an empty text."""
    words = {word.strip(_SURROUNDING).lower() for word in _SEPARATORS.split(shown) if "@" in word}
    for scheme in _SCHEMES:
        words = {word.removeprefix(scheme) for word in words}
    return {word if _is_plain(word) else "" for word in words}


def only_address(shown: str) -> str:
    """Return the only address in a displayed From, in lower case; empty if there is none, or a doubt.

    It may occur twice, as in ``a@b.example <mailto:a@b.example>``, but each "@" must be part of it.
    """
    found = addresses_in(shown)
    return found.pop() if len(found) == 1 and not _CONTINUED.search(shown) else ""


def _is_plain(address: str) -> bool:
    local, _, domain = address.partition("@")
    return bool(PLAIN_LOCAL.fullmatch(local) and PLAIN_DOMAIN.fullmatch(domain))
