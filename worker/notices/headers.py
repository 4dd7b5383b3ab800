"""Parse the headers of an untrusted mail."""

import binascii
import re
from dataclasses import dataclass, field

from worker.notices.charsets import decode

# Bytes. Real headers have less than 20 KB. Longer ones are truncated, and the mail is a suspect at most: the rest may
# contain a second From.
HEAD_LIMIT = 256 * 1024

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_FOLD = re.compile(rb"\n[ \t]+")
_NOT_BASE64 = re.sub(rb"[A-Za-z0-9+/]", b"", bytes(range(256)))
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")


@dataclass(frozen=True, slots=True)
class Head:
    """Headers in their order: names in lower case, values unfolded but not decoded.

    body_at: the offset of the body. truncated: the headers were longer than the limit.
    """

    fields: tuple[tuple[bytes, bytes], ...]
    body_at: int
    truncated: bool
    _first: dict[bytes, bytes] = field(repr=False)

    def first(self, name: str) -> str:
        """Return the topmost value of a header, or an empty text."""
        return text_of(self._first.get(name.lower().encode(), b""))

    def all(self, name: str) -> list[str]:
        """Return all values of a header, the topmost first."""
        wanted = name.lower().encode()
        if wanted not in self._first:
            return []
        return [text_of(value) for key, value in self.fields if key == wanted]


def read_head(raw: bytes, start: int = 0, end: int | None = None, limit: int = HEAD_LIMIT) -> Head:
    """Read the headers of ``raw[start:end]``, at most ``limit`` bytes; other lines are skipped."""
    stop = len(raw) if end is None else end
    # One byte earlier, for a part that starts with the blank line.
    found = _END_OF_HEAD.search(raw, max(start - 1, 0), stop)
    # Without a blank line, everything is read as headers.
    head_end, body_at = (found.start(), found.end()) if found else (stop, stop)
    truncated = head_end - start > limit
    block = raw[start : min(head_end, start + limit)].replace(b"\r\n", b"\n")
    fields = []
    first: dict[bytes, bytes] = {}
    for line in _FOLD.sub(b" ", block).split(b"\n"):
        name, colon, value = line.partition(b":")
        if not colon or not name or b" " in (name := name.rstrip()):
            continue  # such as the "From sender date" line of mbox files
        key = name.lower()
        fields.append((key, value))
        first.setdefault(key, value)
    return Head(tuple(fields), body_at, truncated, first)


def text_of(value: bytes) -> str:
    """Return the text of a header value; other bytes than ASCII are most likely UTF-8."""
    value = value.strip()
    return value.decode("ascii") if value.isascii() else decode(value)


def decode_words(value: str) -> str:
    """Decode RFC 2047 encoded words; never raises.

    Adjacent words of one charset are joined before decoding, because mailers split them inside a character.
    """
    if "=?" not in value:
        return value
    out: list[str] = []
    pending, pending_charset, end = b"", "", 0
    for word in _WORD.finditer(value):
        charset = word[1].split("*")[0].lower()
        between = value[end : word.start()]
        if pending and (between.strip() or charset != pending_charset):
            out.append(decode(pending, pending_charset))
            pending = b""
        if between.strip() or end == 0:
            out.append(between)
        pending += _word_bytes(word[2], word[3])
        pending_charset, end = charset, word.end()
    out.append(decode(pending, pending_charset))
    out.append(value[end:])
    return "".join(out)


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    return from_base64(data)


def from_base64(data: bytes) -> bytes:
    """Decode base64 as far as possible: a mail may be truncated or damaged."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        pass
    clean = data.translate(None, _NOT_BASE64)
    clean = clean[: len(clean) - (len(clean) % 4 == 1)]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
