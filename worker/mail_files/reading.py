"""Stream mails out of files: .eml and .msg, folders of them, Maildir, mbox such as Google Takeout's, .zip and .gz.

Promise: memory does not grow with the size of a file, only with that of one mail, and not beyond
``MAIL_LIMIT``; what is not read is named. Called by the ``scan`` command; what the mails say is no matter here.
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
from worker.mail_files.packed import GZIP, SAMPLE, ZIP, Place, Room, guarded, is_other_archive, unpack

_HEADER_LINE = re.compile(
    rb"(?im)^(?:\xef\xbb\xbf)?(?:from|to|subject|date|received|return-path|delivered-to|message-id|mime-version"
    rb"|content-type|x-[\w-]+)[ \t]*:"
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def messages(path: Path) -> Iterator[Content]:
    """Yield each mail under a path, in the order of names, and each file that is not read.

    A mail's source says where it was found: ``folder/x.eml``, ``x.mbox:17`` for the 17th mail of an mbox,
    ``x.zip/y.eml`` inside an archive, with ``(cut)`` behind it where the mail was longer than MAIL_LIMIT. Inside
    folders and archives, files that are not named like mail are passed over; a file that is named explicitly is
    read whatever its name.

    Raises UsageError where something cannot be read.
    """
    for file, wanted in _files(path):
        if not wanted:
            yield NotRead(str(file), WhyNot.OTHER_NAME)
            continue
        with _readable(file), file.open("rb") as stream:
            place = Place(str(file), file, Room.of(file.stat().st_size))
            yield from _contents(place, stream)


def total_size(path: Path) -> int:
    """Return how many bytes of files :func:`messages` is going to read: the length of a progress bar.

    Raises UsageError where something cannot be read.
    """
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
    """Yield all files under a path, and whether each is to be read."""
    with _readable(path):
        path.stat()
        if not path.is_dir():
            yield path, True
            return
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    for entry in entries:
        file = path / entry.name
        # Links to folders are not followed: one that leads upwards would never end.
        if entry.is_dir(follow_symlinks=False):
            yield from _files(file)
        elif entry.is_file():
            yield file, named_like_mail(file) or (not file.suffix and _begins_as_mbox(file))


def _begins_as_mbox(file: Path) -> bool:
    """Whether this is an mbox of Thunderbird or Apple Mail, which have no suffix."""
    with _readable(file), file.open("rb") as stream:
        return stream.read(5) == b"From "


def _contents(place: Place, stream: io.BufferedReader) -> Iterator[Content]:
    """Yield what a file holds, by its first bytes; their names tell little of what programs save."""
    start = stream.peek(SAMPLE)
    if start.startswith((*ZIP, GZIP)):
        yield from guarded(place, _unpacked(place, stream))
    elif start.startswith(outlook.SIGNATURE):
        mail = outlook.mail_of(stream.read(mbox.MAIL_LIMIT))
        yield NotRead(place.source, WhyNot.OUTLOOK_ITEM) if mail is None else Mail(place.source, mail)
    elif start.startswith(_UTF_16):
        text = as_utf8(stream.read(mbox.MAIL_LIMIT))
        yield from _mails(place, text[:SAMPLE], io.BytesIO(text))
        if stream.read(1):
            yield NotRead(place.source, WhyNot.TOO_LONG)
    elif why := _why_not(place, start):
        yield NotRead(place.source, why)
    else:
        yield from _mails(place, start, stream)


def _why_not(place: Place, start: bytes) -> WhyNot | None:
    if holds_outlook_data(place.name) or start.startswith(b"!BDN"):
        return WhyNot.OUTLOOK_DATA
    return WhyNot.OTHER_ARCHIVE if is_other_archive(start) else None


def _unpacked(place: Place, stream: io.BufferedReader) -> Iterator[Content]:
    for entry in unpack(place, stream):
        if isinstance(entry, NotRead):
            yield entry
        else:
            yield from guarded(entry[0], _contents(*entry))


def _mails(place: Place, start: bytes, stream: BinaryIO) -> Iterator[Content]:
    several = holds_several(place.name, start)
    if several and not start:
        return  # a folder of a mail program, without mail
    if start and not (_HEADER_LINE.search(start) or (holds_one(place.name) and b"\0" not in start)):
        yield NotRead(place.source, WhyNot.NOT_MAIL)
    elif several:
        for number, (raw, cut) in enumerate(mbox.split(stream), start=1):
            yield Mail(f"{place.source}:{number}{' (cut)' if cut else ''}", raw)
    else:
        raw = stream.read(mbox.MAIL_LIMIT)
        yield Mail(f"{place.source}{' (cut)' if stream.read(1) else ''}", raw)
