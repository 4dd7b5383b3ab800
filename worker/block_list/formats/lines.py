"""Numbered lines of a text file in any common encoding, with bounded memory.

The encoding is detected: Excel writes UTF-8 with a byte order mark, UTF-16 and Windows-1252.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from worker.errors import UsageError
from worker.sentences import Sentence

MAX_LINE = 1_000_000  # characters; a key has some hundred at most

_SIGNATURES = (
    (b"PK\x03\x04", Sentence("an Excel workbook or a zip file; save the sheet as CSV")),
    (b"\xd0\xcf\x11\xe0", Sentence("an old Excel workbook; save the sheet as CSV")),
    (b"\x1f\x8b", Sentence("compressed; unpack it first")),
    (b"%PDF", Sentence("a PDF; export the list as CSV or text")),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its newline. problem: why it cannot be read, or None."""

    number: int
    text: str
    problem: Sentence | None = None


def lines_of(sample: bytes, rest: BinaryIO) -> Iterator[Line]:
    """Return an iterator over the lines of a file. sample: its start, which was already read.

    Raises UsageError if the file is no text.
    """
    raw = io.BufferedReader(_Rejoined(sample, rest))
    return _lines(io.TextIOWrapper(raw, encoding=_encoding(sample), errors=_WINDOWS, newline=None))


def as_utf8(content: bytes) -> bytes:
    """Return text as UTF-8 without a byte order mark, also from UTF-16 with one, which PowerShell writes."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace").encode()
    return content.removeprefix(codecs.BOM_UTF8)


def _encoding(sample: bytes) -> str:
    for signature, what in _SIGNATURES:
        if sample.startswith(signature):
            raise UsageError("This file is {what}.", what=what)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    # In UTF-16 without a byte order mark, every second byte of Latin letters is NUL.
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > len(sample) * 0.4 and not even:
        return "utf-16-le"
    if even > len(sample) * 0.4 and not odd:
        return "utf-16-be"
    if even or odd:
        raise UsageError("This file is not text: it contains NUL bytes; export the list as CSV or text.")
    return "utf-8"


def _lines(text: io.TextIOWrapper) -> Iterator[Line]:
    number = 0
    while line := text.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            while line and not line.endswith("\n"):
                line = text.readline(MAX_LINE)
            yield Line(number, "", Sentence("the line is longer than {most} characters", most=MAX_LINE))
        elif "\0" in line:
            yield Line(number, "", Sentence("the line is not text, it contains NUL bytes"))
        else:
            yield Line(number, line.rstrip("\n"))


def _windows(error: UnicodeError) -> tuple[str, int]:
    """Read invalid UTF-8 as Windows-1252, Excel's encoding for plain CSV."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_WINDOWS = "buyerblock.windows-1252"
codecs.register_error(_WINDOWS, _windows)


class _Rejoined(io.RawIOBase):
    """A stream whose start was already read."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._start = start
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._start[: len(buffer)] or self._rest.read(len(buffer))
        self._start = self._start[len(buffer) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)
