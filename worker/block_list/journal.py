"""A journal: transactions appended to a file, each acknowledged only after fsync.

One line is a checksum (CRC-32, eight hexadecimal digits), a space, a JSON object that tells about the
transaction, and its documents: table, key and raw JSON (``null`` where the document goes away), all separated by
tabs, which JSON never contains. So a journal is read without parsing a single document. A transaction is one
line, or several of which all but the last say ``"more": true``, so that a large one needs no large line. A crash
can leave an unfinished transaction at the end; it was never acknowledged, and the next writer cuts it off.
Anything else that does not match its checksum is damage.
"""

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from worker.files import storage_error

_CHECKSUM = 9  # bytes: eight digits and the space


@dataclass(frozen=True, slots=True)
class Record:
    """One line: what is told about the transaction, and (table, key, raw document or None) for each change."""

    about: dict[str, Any]
    documents: Sequence[tuple[str, str, bytes | None]] = ()


Transaction = list[Record]
"""The lines of one transaction."""


class Reader:
    """Iterates over the whole transactions of a journal after an offset, one in memory at a time.

    After the last one, end is the offset behind it, and damaged says whether some line that is not the
    unfinished end failed its check. Iterating raises OSError.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.end = offset
        self.damaged = False

    def __iter__(self) -> Iterator[Transaction]:
        unfinished: Transaction = []
        with self._path.open("rb") as file:
            position = file.seek(self.end)
            for text in file:
                position += len(text)
                record = _parse(text[:-1])
                if not text.endswith(b"\n") and record is None:
                    return  # the unfinished end
                # A whole line without its newline: a flipped byte, since the newline is written last.
                self.damaged = self.damaged or record is None or not text.endswith(b"\n")
                if record is None:
                    unfinished = []
                    continue
                unfinished.append(record)
                if not record.about.get("more"):
                    self.end = position
                    yield unfinished
                    unfinished = []


def line(record: Record) -> bytes:
    """Return a record as one line of a journal."""
    parts = [orjson.dumps(record.about)]
    for table, key, raw in record.documents:
        parts += (table.encode(), key.encode(), raw or b"null")
    body = b"\t".join(parts)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def append(path: Path, offset: int, lines: Iterable[bytes]) -> int:
    """Write lines at offset, durably; return the offset behind them.

    Whatever stood there was unfinished and is cut off. Raises StorageError; the journal then ends at
    offset again.
    """
    try:
        with path.open("r+b", buffering=0) as file:
            file.truncate(offset)
            file.seek(offset)
            try:
                for text in lines:
                    _write_all(file.fileno(), text)
                os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    file.truncate(offset)
                raise
            return file.tell()
    except OSError as error:
        raise storage_error("write", path, error) from error


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _parse(text: bytes) -> Record | None:
    body = text[_CHECKSUM:]
    if not body:
        return None  # the checksum of nothing is 0, which a cut line may begin with
    try:
        if int(text[: _CHECKSUM - 1], 16) != zlib.crc32(body):
            return None
    except ValueError:
        return None
    # What matches its checksum was written by line().
    about, *parts = body.split(b"\t")
    return Record(
        orjson.loads(about),
        [
            (table.decode(), key.decode(), None if raw == b"null" else raw)
            for table, key, raw in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        ],
    )
