"""Stream mails out of files: .eml, folders of them, Maildir, and mbox such as Google Takeout's.

Promise: memory does not grow with the size of a file, only with that of one mail, and not beyond
``MAIL_LIMIT``. Called by the ``scan`` command; what the mails say is no matter here.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.errors import UsageError

# Gmail takes mails up to 50 MB. What is longer is cut, and named so: verdicts rest on the beginning.
MAIL_LIMIT = 64 * 1024 * 1024
_CHUNK = 1024 * 1024

# "From 1780123@xxx Thu Sep 10 00:04:50 +0000 2026": the date tells it from a sentence that begins with From. Its
# parts stand in either order, and Thunderbird leaves it out by now. Not all programs leave a blank line before it.
_SEPARATOR = re.compile(
    rb"From (?:\S* ?.{0,40}?(?:\d\d:\d\d.{0,20}?\b\d{4}\b|\b\d{4}\b.{0,9}?\d\d:\d\d:\d\d)|-? ?\r?\n)"
)

# An .emlx of Apple Mail is a mail between a line with its length and a property list: both are no headers.
_SINGLE_SUFFIXES = frozenset((".eml", ".emlx"))
_MBOX_SUFFIXES = frozenset((".mbox", ".mbx"))
_MAILDIR_FOLDERS = frozenset(("cur", "new"))


def messages(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each mail under a path as (source, bytes), in the order of names.

    source says where the mail was found: ``folder/x.eml``, or ``x.mbox:17`` for the 17th mail of an mbox,
    with ``(cut)`` behind it where the mail was longer than MAIL_LIMIT. Inside folders, files that are not
    named like mail are passed over; a file that is named explicitly is read whatever its name.

    Raises UsageError where something cannot be read.
    """
    for file in _files(path):
        yield from _mails_in(file)


def total_size(path: Path) -> int:
    """Return how many bytes :func:`messages` is going to read: the length of a progress bar.

    Raises UsageError where something cannot be read.
    """
    with _readable(path):
        return sum(file.stat().st_size for file in _files(path))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(
            "Cannot read {path}: {reason}. Name a mail file or a folder of them.", path=path, reason=reason
        ) from error


def _files(path: Path) -> Iterator[Path]:
    with _readable(path):
        path.stat()
        if not path.is_dir():
            yield path
            return
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        in_maildir = path.name in _MAILDIR_FOLDERS
    for entry in entries:
        # Links to folders are not followed: one that leads upwards would never end.
        if entry.is_dir(follow_symlinks=False):
            yield from _files(path / entry.name)
        elif entry.is_file() and (in_maildir or _is_mail(path / entry.name)):
            yield path / entry.name


def _is_mail(file: Path) -> bool:
    suffix = file.suffix.lower()
    # Thunderbird and Apple Mail keep mbox files without a suffix.
    return suffix in _SINGLE_SUFFIXES | _MBOX_SUFFIXES or (not suffix and _begins_as_mbox(file))


def _begins_as_mbox(file: Path) -> bool:
    with _readable(file), file.open("rb") as stream:
        return stream.read(5) == b"From "


def _holds_several(file: Path) -> bool:
    """Whether to split this file. In a mail that is a file of its own no line is protected: it could forge another."""
    suffix = file.suffix.lower()
    single = suffix in _SINGLE_SUFFIXES or file.parent.name in _MAILDIR_FOLDERS
    return suffix in _MBOX_SUFFIXES or (not single and _begins_as_mbox(file))


def _mails_in(file: Path) -> Iterator[tuple[str, bytes]]:
    if not _holds_several(file):
        with _readable(file):
            yield _single(file)
        return
    for number, (raw, cut) in enumerate(_mbox(file), start=1):
        yield f"{file}:{number}{' (cut)' if cut else ''}", raw


def _single(file: Path) -> tuple[str, bytes]:
    with file.open("rb") as stream:
        raw = stream.read(MAIL_LIMIT)
        cut = bool(stream.read(1))
    return f"{file}{' (cut)' if cut else ''}", raw


def _mbox(file: Path) -> Iterator[tuple[bytes, bool]]:
    """Split an mbox at its "From " lines; say of each mail whether it was cut.

    One ">" is taken off the lines that it protects (mboxrd); this restores what mboxo wrote as well, but for
    lines that began with ">From " themselves.
    """
    with _readable(file), file.open("rb") as stream:
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
