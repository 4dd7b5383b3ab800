"""Split an mbox, such as Google Takeout's, into its mails."""

import re
from collections.abc import Iterator
from typing import BinaryIO

# Gmail takes mails up to 50 MB. What is longer is cut, and named so: verdicts rest on the beginning.
MAIL_LIMIT = 64 * 1024 * 1024
_CHUNK = 1024 * 1024

# "From 1780123@xxx Thu Sep 10 00:04:50 +0000 2026": no sentence that begins with From has such a date. Its parts are
# in either order, and Thunderbird leaves it out by now. Not all programs leave a blank line before it.
_SEPARATOR = re.compile(
    rb"From (?:\S* ?.{0,40}?(?:\d\d:\d\d.{0,20}?\b\d{4}\b|\b\d{4}\b.{0,9}?\d\d:\d\d:\d\d)|-? ?\r?\n)"
)


def split(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield the mails of an mbox, which begin at its "From " lines, and of each whether it was cut at MAIL_LIMIT.

    One ">" is taken off the lines that it protects (mboxrd); this restores what mboxo wrote as well, but for
    lines that began with ">From " themselves. Raises OSError.
    """
    mail = bytearray()  # a list of lines would take many times the memory where they are short
    size = 0
    fresh, started = True, False
    while line := stream.readline(_CHUNK):
        if fresh and _SEPARATOR.match(line):
            if started:  # and not blank lines above the first mail
                yield _whole(mail), size > MAIL_LIMIT
            mail, size, started = bytearray(), 0, True
            continue
        started = started or not line.isspace()
        if fresh and line.lstrip(b">").startswith(b"From ") and line.startswith(b">"):
            line = line[1:]
        fresh = line.endswith(b"\n")
        if size < MAIL_LIMIT:
            mail += line
        size += len(line)
    if started:
        yield _whole(mail), size > MAIL_LIMIT


def _whole(mail: bytearray) -> bytes:
    # The blank line before a separator is the file's, not the mail's.
    end = bytes(mail[-3:])
    if end in (b"\n", b"\r\n") or end.endswith((b"\n\n", b"\n\r\n")):
        del mail[-2 if end.endswith(b"\r\n") else -1 :]
    return bytes(mail[:MAIL_LIMIT])
