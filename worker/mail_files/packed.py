"""Unpack .zip and .gz files while they are read, within bounds: a small file may unpack to more than a disk holds."""

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
"""How many bytes of a stream can be looked at before it is read."""

ZIP, GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"
_OTHERS = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
# Mail becomes ten times smaller, and many notices in one file a hundred times; nothing but zeros a thousand times.
_MOST_TIMES = 200
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError)


@dataclass(slots=True)
class Room:
    """How many bytes may still be unpacked of a file of this size."""

    left: int

    @classmethod
    def of(cls, size: int) -> "Room":
        """Return the room for all that a file of size bytes holds."""
        return cls(MAIL_LIMIT + _MOST_TIMES * size)


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes come from. source: for people; name: says how they are read; layers: the archives around them."""

    source: str
    name: PurePath
    room: Room
    layers: tuple[str, ...] = ()


class TooLargeError(Exception):
    """More came out of a file than mail would."""


Entry = tuple[Place, io.BufferedReader]


def is_other_archive(start: bytes) -> bool:
    """Whether these bytes begin an archive of another kind, such as a .tar."""
    return start.startswith(_OTHERS) or start[257:262] == b"ustar"


def unpack(place: Place, stream: io.BufferedReader) -> Iterator[Entry | NotRead]:
    """Yield the files in an archive, each to be read before the next is asked for; damage shows as many errors."""
    kind = "gz" if stream.peek(2).startswith(GZIP) else "zip"
    if kind in place.layers or (kind == "zip" and place.layers):
        yield NotRead(place.source, WhyNot.NESTED)
    elif kind == "zip":
        yield from _unzip(place, stream)
    else:
        name = place.name.with_suffix("") if place.name.suffix.lower() == ".gz" else place.name
        inner = Place(place.source, name, place.room, (*place.layers, "gz"))
        with gzip.open(stream) as content:
            yield inner, _limited(content, place.room)


def guarded(place: Place, contents: Iterator[Content]) -> Iterator[Content]:
    """Pass on what an archive holds, and say where it cannot be unpacked to its end."""
    try:
        yield from contents
    except _DAMAGE:
        yield NotRead(place.source, WhyNot.DAMAGED)
    except OSError as error:
        # No header of a gzip member, or a place before the beginning of a zip file; all else is the disk's.
        if error.errno not in (None, errno.EINVAL):
            raise
        yield NotRead(place.source, WhyNot.DAMAGED)
    except TooLargeError:
        if place.layers:
            raise  # the room is that of the whole file
        yield NotRead(place.source, WhyNot.TOO_LARGE)


def _unzip(place: Place, stream: io.BufferedReader) -> Iterator[Entry | NotRead]:
    with zipfile.ZipFile(stream) as archive:
        for file in sorted(archive.infolist(), key=lambda it: it.filename):
            inner = Place(f"{place.source}/{file.filename}", PurePath(file.filename), place.room, ("zip",))
            if file.filename.endswith("/"):
                continue
            if why := _why_not(file):
                yield NotRead(inner.source, why)
                continue
            with archive.open(file) as content:
                reader = _limited(content, place.room)
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


def _limited(content: IO[bytes] | gzip.GzipFile, room: Room) -> io.BufferedReader:
    return io.BufferedReader(_Limited(content, room), SAMPLE)


class _Limited(io.RawIOBase):
    """A stream that takes what is read of it from the room that is left."""

    def __init__(self, content: IO[bytes] | gzip.GzipFile, room: Room) -> None:
        super().__init__()
        self._content = content
        self._room = room

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content.read(len(buffer))
        self._room.left -= len(piece)
        if self._room.left < 0:
            raise TooLargeError
        buffer[: len(piece)] = piece
        return len(piece)
