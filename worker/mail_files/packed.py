"""Unpack .zip and .gz files while they are read, with a size limit against zip bombs."""

import errno
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any

from worker.mail_files.mbox import MAIL_LIMIT
from worker.mail_files.model import Content, NotRead, WhyNot
from worker.mail_files.names import named_like_mail

SAMPLE = io.DEFAULT_BUFFER_SIZE
"""The number of bytes of a stream that can be peeked."""

ZIP, GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
_OTHER_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
# Mail is compressed by a factor of ten, many notices in one file by a hundred, zeros by a thousand.
_MAX_RATIO = 200
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError)


@dataclass(slots=True)
class UnpackLimit:
    """The number of bytes that may still be unpacked."""

    left: int

    @classmethod
    def of(cls, size: int) -> "UnpackLimit":
        """Return the limit for a file of this size in bytes."""
        return cls(MAIL_LIMIT + _MAX_RATIO * size)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where bytes come from. source: for people. name: decides how they are read. layers: the archives around them."""

    source: str
    name: PurePath
    limit: UnpackLimit
    layers: tuple[str, ...] = ()


class TooLargeError(Exception):
    """A file unpacked to more than its limit."""


Entry = tuple[Origin, io.BufferedReader]


def is_other_archive(start: bytes) -> bool:
    """Whether a file that starts with these bytes is an unsupported archive, such as .tar."""
    return start.startswith(_OTHER_ARCHIVES) or start[257:262] == b"ustar"


def unpack(origin: Origin, stream: io.BufferedReader) -> Iterator[Entry | NotRead]:
    """Yield the files of an archive; read each one before the next. Reading may raise errors, see report_damage."""
    kind = "gz" if stream.peek(2).startswith(GZIP) else "zip"
    if kind in origin.layers or (kind == "zip" and origin.layers):
        yield NotRead(origin.source, WhyNot.NESTED)
    elif kind == "zip":
        yield from _unzip(origin, stream)
    else:
        name = origin.name.with_suffix("") if origin.name.suffix.lower() == ".gz" else origin.name
        inner = Origin(origin.source, name, origin.limit, (*origin.layers, "gz"))
        with gzip.open(stream) as content:
            yield inner, _limited(content, origin.limit)


def report_damage(origin: Origin, contents: Iterator[Content]) -> Iterator[Content]:
    """Yield the content of an archive, and a NotRead if it cannot be unpacked completely."""
    try:
        yield from contents
    except _DAMAGE:
        yield NotRead(origin.source, WhyNot.DAMAGED)
    except OSError as error:
        # Damage in gzip has no errno, a negative offset in zip has EINVAL. Other errors come from the disk.
        if error.errno not in (None, errno.EINVAL):
            raise
        yield NotRead(origin.source, WhyNot.DAMAGED)
    except TooLargeError:
        if origin.layers:
            raise  # the limit is that of the outermost file
        yield NotRead(origin.source, WhyNot.TOO_LARGE)


def _unzip(origin: Origin, stream: io.BufferedReader) -> Iterator[Entry | NotRead]:
    with zipfile.ZipFile(stream) as archive:
        for file in sorted(archive.infolist(), key=lambda it: it.filename):
            inner = Origin(
                f"{origin.source}/{file.filename}", PurePath(file.filename), origin.limit, ("zip",)
            )
            if file.filename.endswith("/"):
                continue
            if why := _why_not(file):
                yield NotRead(inner.source, why)
                continue
            with archive.open(file) as content:
                reader = _limited(content, origin.limit)
                if named_like_mail(inner.name) or reader.peek(5).startswith(b"From "):
                    yield inner, reader
                else:
                    yield NotRead(inner.source, WhyNot.OTHER_NAME)


def _why_not(file: zipfile.ZipInfo) -> WhyNot | None:
    name = PurePath(file.filename)
    if name.suffix and not named_like_mail(name):
        return WhyNot.OTHER_NAME
    if file.flag_bits & 1:
        return WhyNot.ENCRYPTED
    return None if file.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else WhyNot.OTHER_ARCHIVE


def _limited(content: IO[bytes] | gzip.GzipFile, limit: UnpackLimit) -> io.BufferedReader:
    return io.BufferedReader(_LimitedStream(content, limit), SAMPLE)


class _LimitedStream(io.RawIOBase):
    """A stream that counts what is read against the limit."""

    def __init__(self, content: IO[bytes] | gzip.GzipFile, limit: UnpackLimit) -> None:
        super().__init__()
        self._content = content
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._content.read(len(buffer))
        self._limit.left -= len(chunk)
        if self._limit.left < 0:
            raise TooLargeError
        buffer[: len(chunk)] = chunk
        return len(chunk)
