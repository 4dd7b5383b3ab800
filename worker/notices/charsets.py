"""Decode bytes to text, even if the declared charset is wrong."""

import codecs
import re

# Decoded as declared, since their bytes are often also valid UTF-8 with another meaning.
_SEVEN_BIT_OR_WIDE = ("iso2022_jp", "utf-16", "utf-32", "utf-7", "hz")

# Latin codecs accept almost any bytes, and UTF-8 was tried before, so a declaration of these proves nothing.
_UNRELIABLE = frozenset(("", "utf-8", "ascii", "iso8859-1", "cp1252", "iso8859-15"))

_CHARSET = re.compile(r"ascii|iso|cp\d|utf|shift|euc|big5|gb|hz|koi8|mac|tis|johab|ptcp|kz")

# About half of a Japanese sentence is kana; a wrong codec gives rare ideographs instead.
_KANA = frozenset(map(chr, range(0x3041, 0x30FF)))


def decode(data: bytes, declared: str = "") -> str:
    """Return the text of data; never raises.

    UTF-8 is tried before the declared charset: mail rebuilt from Gmail's API is UTF-8, but its Content-Type still has
    the original charset. Other text is rarely valid UTF-8 by accident.
    """
    name = _known(declared)
    if name.startswith(_SEVEN_BIT_OR_WIDE) and (text := _strict(data, name)) is not None:
        return text
    if b"\x1b$" in data and (text := _strict(data, "iso2022_jp_ext")) is not None:
        return text
    if (text := _strict(data, "utf-8-sig")) is not None:
        return text
    return _guess(data, name)


def _guess(data: bytes, declared: str) -> str:
    # Mail declares "shift_jis" for Windows' cp932, which has more characters.
    declared = "cp932" if declared == "shift_jis" else declared
    if declared not in _UNRELIABLE and (text := _strict(data, declared)) is not None:
        return text
    for name in ("cp932", "euc_jp"):
        text = _strict(data, name)
        if text is not None and _reads_as_japanese(text):
            return text
    if declared not in _UNRELIABLE:
        return data.decode(declared, "replace")
    utf8 = data.decode("utf-8", "replace")
    damaged = utf8.count("\ufffd")
    if damaged * 2 < sum(1 for char in utf8 if char > "\x7f"):
        return utf8
    return data.decode("cp1252", "replace")


def _reads_as_japanese(text: str) -> bool:
    foreign = sum(1 for char in text if char > "\x7f")
    return sum(1 for char in text if char in _KANA) * 4 > foreign


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeError, LookupError, ValueError):
        return None


def _known(declared: str) -> str:
    """Return Python's name of a charset, or an empty text if it is none: "base64" and "idna" are codecs too."""
    try:
        # "x-euc-jp", "x-mac-roman": old names with a prefix.
        name = codecs.lookup(declared.strip().strip("\"'").lower().removeprefix("x-")).name
    except (LookupError, ValueError):
        return ""
    return name if _CHARSET.match(name) else ""
