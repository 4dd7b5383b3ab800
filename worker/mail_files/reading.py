"""Stream mails from files: .eml, .msg, folders, Maildir, mbox such as that of Google Takeout, .zip and .gz.

Promise: the memory depends only on the size of one mail, at most ``MAIL_LIMIT``; files that are not read are reported.
"""

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from worker.block_list.formats.lines import as_utf8
from worker.errors import UsageError
from worker.mail_files import mbox, outlook
from worker.mail_files.model import Content, Mail, NotRead, WhyNot
from worker.mail_files.names import holds_one, holds_outlook_data, holds_several, named_like_mail
from worker.mail_files.packed import (
    GZIP,
    SAMPLE,
    ZIP,
    Origin,
    UnpackLimit,
    is_other_archive,
    report_damage,
    unpack,
)

_HEADER_LINE = re.compile(
    rb"(?im)^(?:\xef\xbb\xbf)?(?:from|to|subject|date|received|return-path|delivered-to|message-id|mime-version"
    rb"|content-type|x-[\w-]+)[ \t]*:"
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def messages(path: Path) -> Iterator[Content]:
    """Yield each mail under a path, sorted by file name, and each file that is not read.

    A mail's source is ``folder/x.eml``, ``x.mbox:17`` for the 17th mail of an mbox, ``x.zip/y.eml`` in an archive, with
    ``(cut)`` at the end if the mail was longer than MAIL_LIMIT. In folders and archives only files with names of mail
    files are read; if the path is a file, it is read in any case.

    Raises UsageError if a file cannot be read.
    """
    for file, wanted in _files(path):
        if not wanted:
            yield NotRead(str(file), WhyNot.OTHER_NAME)
            continue
        with _readable(file), file.open("rb") as stream:
            origin = Origin(str(file), file, UnpackLimit.of(file.stat().st_size))
            yield from _contents(origin, stream)


def total_size(path: Path) -> int:
    """Return the number of bytes that :func:`messages` will read, for a progress bar. Raises UsageError."""
    with _readable(path):
        return sum(file.stat().st_size for file, wanted in _files(path) if wanted)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(
            "Cannot read {path}: {reason}. Name a mail file or a folder of them.", path=path, reason=reason
        ) from error


def _files(path: Path) -> Iterator[tuple[Path, bool]]:
    """Yield each file under a path, and whether to read it."""
    with _readable(path):
        path.stat()
        if not path.is_dir():
            yield path, True
            return
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    for entry in entries:
        file = path / entry.name
        # Do not follow links to folders: they could form a loop.
        if entry.is_dir(follow_symlinks=False):
            yield from _files(file)
        elif entry.is_file():
            yield file, named_like_mail(file) or (not file.suffix and _starts_as_mbox(file))


def _starts_as_mbox(file: Path) -> bool:
    # An mbox of Thunderbird or Apple Mail has no suffix.
    with _readable(file), file.open("rb") as stream:
        return stream.read(5) == b"From "


def _contents(origin: Origin, stream: io.BufferedReader) -> Iterator[Content]:
    """Yield the content of a file. Its first bytes decide the format, since names are often wrong."""
    start = stream.peek(SAMPLE)
    if start.startswith((*ZIP, GZIP)):
        yield from report_damage(origin, _unpacked(origin, stream))
    elif start.startswith(outlook.SIGNATURE):
        mail = outlook.mail_of(stream.read(mbox.MAIL_LIMIT))
        yield NotRead(origin.source, WhyNot.OUTLOOK_ITEM) if mail is None else Mail(origin.source, mail)
    elif start.startswith(_UTF_16):
        text = as_utf8(stream.read(mbox.MAIL_LIMIT))
        yield from _mails(origin, text[:SAMPLE], io.BytesIO(text))
        if stream.read(1):
            yield NotRead(origin.source, WhyNot.TOO_LONG)
    elif why := _why_not(origin, start):
        yield NotRead(origin.source, why)
    else:
        yield from _mails(origin, start, stream)


def _why_not(origin: Origin, start: bytes) -> WhyNot | None:
    if holds_outlook_data(origin.name) or start.startswith(b"!BDN"):
        return WhyNot.OUTLOOK_DATA
    return WhyNot.OTHER_ARCHIVE if is_other_archive(start) else None


def _unpacked(origin: Origin, stream: io.BufferedReader) -> Iterator[Content]:
    for entry in unpack(origin, stream):
        if isinstance(entry, NotRead):
            yield entry
        else:
            yield from report_damage(entry[0], _contents(*entry))


def _mails(origin: Origin, start: bytes, stream: BinaryIO) -> Iterator[Content]:
    several = holds_several(origin.name, start)
    if several and not start:
        return  # an empty mail folder
    if start and not (_HEADER_LINE.search(start) or (holds_one(origin.name) and b"\0" not in start)):
        yield NotRead(origin.source, WhyNot.NOT_MAIL)
    elif several:
        for number, (raw, cut) in enumerate(mbox.split(stream), start=1):
            yield Mail(f"{origin.source}:{number}{' (cut)' if cut else ''}", raw)
    else:
        raw = stream.read(mbox.MAIL_LIMIT)
        yield Mail(f"{origin.source}{' (cut)' if stream.read(1) else ''}", raw)
