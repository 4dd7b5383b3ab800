"""Split an mbox, such as that of Google Takeout, into its mails."""

import re
from collections.abc import Iterator
from typing import BinaryIO

# Bytes. Gmail accepts mails up to 50 MB. A longer mail is cut and reported: the verdict needs only its start.
MAIL_LIMIT = 64 * 1024 * 1024
_CHUNK = 1024 * 1024

# "From 1780123@xxx Thu Sep 10 00:04:50 +0000 2026": a sentence that starts with From has no such date. Year and time
# come in any order, and new versions of Thunderbird write no date. Some programs write no blank line before it.
_SEPARATOR = re.compile(
    rb"From (?:\S* ?.{0,40}?(?:\d\d:\d\d.{0,20}?\b\d{4}\b|\b\d{4}\b.{0,9}?\d\d:\d\d:\d\d)|-? ?\r?\n)"
)


def split(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield each mail of an mbox, and whether it was cut at MAIL_LIMIT. Mails start at "From " lines.

    One ">" is removed before ">*From " (mboxrd). This also decodes mboxo, except for original lines with ">From ".
    Raises OSError.
    """
    mail = bytearray()  # a list of short lines would need much more memory
    size = 0
    at_line_start, started = True, False
    while line := stream.readline(_CHUNK):
        if at_line_start and _SEPARATOR.match(line):
            if started:  # not for blank lines before the first mail
                yield _finished(mail), size > MAIL_LIMIT
            mail, size, started = bytearray(), 0, True
            continue
        started = started or not line.isspace()
        if at_line_start and line.lstrip(b">").startswith(b"From ") and line.startswith(b">"):
            line = line[1:]
        at_line_start = line.endswith(b"\n")
        if size < MAIL_LIMIT:
            mail += line
        size += len(line)
    if started:
        yield _finished(mail), size > MAIL_LIMIT


def _finished(mail: bytearray) -> bytes:
    # The blank line before a separator belongs to the mbox, not to the mail.
    end = bytes(mail[-3:])
    if end in (b"\n", b"\r\n") or end.endswith((b"\n\n", b"\n\r\n")):
        del mail[-2 if end.endswith(b"\r\n") else -1 :]
    return bytes(mail[:MAIL_LIMIT])
