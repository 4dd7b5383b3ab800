"""Split a mail into its parts, in linear time and without recursion.

The standard library's parser has a generator for each level of nesting and calls each one for each line. With a hostile
mail that takes minutes and ends with a RecursionError.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import AnyStr
from urllib.parse import unquote_to_bytes

from worker.notices.charsets import decode
from worker.notices.headers import Head, decode_words, from_base64, read_head

# Amazon's notices have one part, forwards a few.
PART_LIMIT = 200
# Bytes scanned for boundaries: the sum over all levels of nesting.
SCAN_LIMIT = 64 * 1024 * 1024
# Bytes of a part that are decoded, and then read as text. Notices have 7 to 60 KB, but style sheets above the text may
# be very long.
ENCODED_LIMIT = 32 * 1024 * 1024
TEXT_LIMIT = 1024 * 1024

# Bytes. A part has a few short header lines.
_PART_HEAD_LIMIT = 16 * 1024

# Kinds that are read like another one: RFC 6532 defines mails with UTF-8 headers; XHTML is HTML.
_ALIASES_OF_KINDS = {"message/global": "message/rfc822", "application/xhtml+xml": "text/html"}

_PARAMETER = re.compile(r';\s*([\w-]+)(\*\d+)?(\*)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))')


@dataclass(frozen=True, slots=True)
class Part:
    """A part without inner parts. kind: such as ``text/html``. attached: displayed as a file, not as text."""

    kind: str
    attached: bool
    charset: str
    encoding: str
    body: bytes

    def data(self) -> bytes:
        """Return the bytes of the part without the transfer encoding."""
        if self.encoding == "base64":
            return from_base64(self.body)
        if self.encoding == "quoted-printable":
            return binascii.a2b_qp(self.body)
        return self.body

    def text(self) -> str:
        """Return the text of the part; of a long one without style sheets and comments."""
        data = self.data()
        if len(data) > TEXT_LIMIT:
            data = remove_between(remove_between(data, b"<style", b"</style>"), b"<!--", b"-->")[:TEXT_LIMIT]
        return decode(data, self.charset)


def parts(raw: bytes, head: Head) -> Iterator[Part]:
    """Yield the leaf parts of a mail in their order; an attached mail is one leaf."""
    stack = [(head, head.body_at, len(raw))]
    scanned = count = 0
    while stack and count < PART_LIMIT:
        head, start, end = stack.pop()
        kind, parameters = content_type(head.first("content-type"))
        if kind.startswith("multipart/") and scanned < SCAN_LIMIT:
            scanned += end - start
            sections = _sections(raw, start, end, parameters.get("boundary", ""))
            if sections:
                inner = [read_head(raw, *section, _PART_HEAD_LIMIT) for section in sections]
                bounds = [(each.body_at, stop) for each, (_, stop) in zip(inner, sections, strict=True)]
                stack.extend(
                    (each, *bound) for each, bound in zip(reversed(inner), reversed(bounds), strict=True)
                )
                continue
        count += 1
        limit = end if kind == "message/rfc822" else min(end, start + ENCODED_LIMIT)
        yield _leaf(head, raw[start:limit])


def _leaf(head: Head, body: bytes) -> Part:
    kind, parameters = content_type(head.first("content-type"))
    disposition = head.first("content-disposition").lower()
    transfer = head.first("content-transfer-encoding")
    attached = disposition.startswith("attachment")
    if kind.startswith("multipart/"):  # without a usable boundary
        kind = "text/html" if b"<html" in body[:2000].lower() else "text/plain"
    elif kind in _ALIASES_OF_KINDS:
        kind = _ALIASES_OF_KINDS[kind]
    elif (attached or kind.startswith("application/")) and _file_name(head, parameters).endswith(".eml"):
        kind = "message/rfc822"  # some mail programs attach a mail as a file
    return Part(
        kind=kind,
        attached=attached,
        charset=parameters.get("charset", ""),
        # Some mailers add a comment or a parameter.
        encoding=transfer.partition("(")[0].partition(";")[0].strip().lower(),
        body=body,
    )


def _file_name(head: Head, parameters: dict[str, str]) -> str:
    disposition = content_type("x/" + head.first("content-disposition"))[1]
    return decode_words(disposition.get("filename") or parameters.get("name", "")).strip().lower()


def remove_between(source: AnyStr, opening: AnyStr, closing: AnyStr) -> AnyStr:
    """Remove all text from opening to closing, case-insensitive. Without closing, the text stays."""
    lower = source.lower()
    if len(lower) != len(source):  # some letters are longer in lower case, such as the Turkish İ
        lower = source
    out: list[AnyStr] = []
    end = 0
    while (begin := lower.find(opening, end)) >= 0 and (close := lower.find(closing, begin)) >= 0:
        out.append(source[end:begin])
        end = close + len(closing)
    out.append(source[end:])
    return source[:0].join(out)


def _sections(raw: bytes, start: int, end: int, boundary: str) -> list[tuple[int, int]]:
    """Return start and end of each part of a multipart; the last delimiter may be missing."""
    if not boundary:
        return []
    delimiter = b"\n--" + boundary.encode("utf-8", "replace")
    sections: list[tuple[int, int]] = []
    begin = -1
    # One byte earlier: the newline before the first delimiter may be the end of the headers.
    at = raw.find(delimiter, max(start - 1, 0), end)
    while at >= 0 and len(sections) < PART_LIMIT:
        line_end = raw.find(b"\n", at + 1, end)
        line_end = end if line_end < 0 else line_end
        rest = raw[at + len(delimiter) : line_end].strip(b" \t\r")
        if rest in (b"", b"--"):  # else it is the delimiter of an inner multipart, or no delimiter
            if begin >= 0:
                sections.append((begin, at + 1))
            begin = line_end + 1
            if rest:
                return sections
        at = raw.find(delimiter, line_end, end)
    if 0 <= begin < end:
        sections.append((begin, end))
    return sections


def content_type(value: str) -> tuple[str, dict[str, str]]:
    """Parse a Content-Type into kind and parameters, with RFC 2231 continuations joined."""
    value = value[:4000]
    kind = value.partition(";")[0].strip().lower()
    if "/" not in kind:
        return "text/plain", {}
    parameters: dict[str, bytes] = {}
    found = sorted(_PARAMETER.findall(value), key=lambda each: int(each[1][1:8] or 0))
    for name, _number, extended, quoted, plain in found:
        piece = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
        data = piece.encode("utf-8", "replace")
        if extended:
            data = unquote_to_bytes(data.rpartition(b"'")[2])
        parameters[name.lower()] = parameters.get(name.lower(), b"") + data
    return kind, {name: data.decode("utf-8", "replace") for name, data in parameters.items()}
