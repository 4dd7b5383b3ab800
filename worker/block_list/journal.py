"""A journal: transactions appended to a file, each acknowledged only after fsync.

One line is a checksum (CRC-32, eight hexadecimal digits), a space and a JSON object. A transaction is one line, or
several of which all but the last say ``"more": true``, so that a large one needs no large line. A crash
can leave an unfinished transaction at the end; it was never acknowledged, and the next writer cuts it off.
Anything else that does not match its checksum is damage.
"""

import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from worker.files import storage_error

_CHECKSUM = 9  # bytes: eight digits and the space


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal holds after an offset.

    transactions: the lines of each. end: offset behind the last whole transaction. damaged: some line that is
    not the unfinished end fails its check; the transactions then are the readable ones.
    """

    transactions: list[list[dict[str, Any]]]
    end: int
    damaged: bool


def line(record: object) -> bytes:
    """Return a record as one line of a journal."""
    body = orjson.dumps(record)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def read(path: Path, offset: int = 0) -> Reading:
    """Read the transactions after offset. Raises OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        content = file.read()
    transactions: list[list[dict[str, Any]]] = []
    unfinished: list[dict[str, Any]] = []
    position, end, damaged = 0, 0, False
    for text in content.split(b"\n")[:-1]:
        position += len(text) + 1
        record = _parse(text)
        if record is None:
            damaged, unfinished = True, []
            continue
        unfinished.append(record)
        if not record.get("more"):
            transactions.append(unfinished)
            unfinished, end = [], position
    tail = content[position:]
    if tail and (record := _parse(tail[:-1])) is not None:
        # Whole but for its newline, which one flipped byte has changed.
        transactions.append([*unfinished, record])
        damaged, end = True, len(content)
    return Reading(transactions, offset + end, damaged)


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


def _parse(text: bytes) -> dict[str, Any] | None:
    body = text[_CHECKSUM:]
    try:
        if int(text[: _CHECKSUM - 1], 16) != zlib.crc32(body):
            return None
        record = orjson.loads(body)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
