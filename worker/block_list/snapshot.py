"""The snapshot ``blocks.json``: one JSON object, one document a line, a checksum at its end.

::

    {"format":"buyerblock-blocks/1","lineage":"5f0c...","epoch":3,"sequence":17,
    "blocks":{
    "k4q8z1x7c3v9b2n@marketplace.amazon.it":{...},
    ...
    },
    "unblocked":{
    },
    "imports":{
    },
    "count":1,"checksum":"1f2e3d4c"}

epoch: the number of the journal that continues this snapshot. lineage: ties snapshot and journals together.
sequence: how many transactions it contains.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from worker.block_list.state import State
from worker.errors import DamagedFileError, StorageError

FORMAT = "buyerblock-blocks/1"
_LINES_PER_CHUNK = 2000
_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a snapshot."""

    lineage: str
    epoch: int
    sequence: int


def chunks(state: State, header: Header) -> Iterator[bytes]:
    """Yield the file's content, some thousand documents at a time."""
    checksum = 0
    for chunk in _body(state, header):
        checksum = zlib.crc32(chunk, checksum)
        yield chunk
    count = sum(map(len, state.tables.values()))
    yield b'"count":%d,"checksum":"%08x"}\n' % (count, checksum)


def read_header(path: Path) -> Header:
    """Read the first line. Raises OSError, DamagedFileError, and StorageError for a newer format."""
    with path.open("rb") as file:
        return _parse_header(path, file.readline(4096))


def read(path: Path) -> tuple[State, Header]:
    """Read a whole snapshot. Raises OSError, DamagedFileError, and StorageError for a newer format."""
    with path.open("rb") as file:
        first = file.readline(4096)
        header = _parse_header(path, first)
        state = State()
        try:
            _read_tables(file, state, zlib.crc32(first))
        except ValueError as error:
            raise DamagedFileError(f"{path} is damaged.") from error
    state.sequence = header.sequence
    return state, header


def _body(state: State, header: Header) -> Iterator[bytes]:
    yield b'{"format":"%b","lineage":"%b","epoch":%d,"sequence":%d,\n' % (
        FORMAT.encode(),
        header.lineage.encode(),
        header.epoch,
        header.sequence,
    )
    for table, documents in state.tables.items():
        yield b'"%b":{\n' % table.encode()
        lines: list[bytes] = []
        last = len(documents) - 1
        for number, (key, raw) in enumerate(documents.items()):
            lines.append(b'"%b":%b%b\n' % (key.encode(), raw, b"," if number < last else b""))
            if len(lines) == _LINES_PER_CHUNK:
                yield b"".join(lines)
                lines.clear()
        yield b"".join(lines)
        yield b"},\n"


def _parse_header(path: Path, first: bytes) -> Header:
    try:
        fields = orjson.loads(first.rstrip(b",\n") + b"}")
        version = fields["format"]
        if not isinstance(version, str) or not version.startswith("buyerblock-blocks/"):
            raise DamagedFileError(f"{path} is damaged.")
        if version != FORMAT:
            raise StorageError(
                f"{path} was written by a newer version of buyerblock; use that version, or restore a backup."
            )
        return Header(str(fields["lineage"]), int(fields["epoch"]), int(fields["sequence"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(f"{path} is damaged.") from error


def _read_tables(file: BinaryIO, state: State, checksum: int) -> None:
    """Fill state. Raises ValueError where the file is not as it was written."""
    documents: dict[str, bytes] = {}
    footer = b""
    while lines := file.readlines(_CHUNK):
        if footer:
            raise ValueError("something behind the end")
        if lines[-1].startswith(b'"count":'):
            footer = lines.pop()
        checksum = zlib.crc32(b"".join(lines), checksum)
        # Once for each document: whatever is done here is done a million times.
        for line in lines:
            key, _, raw = line.partition(b'":')
            if raw == b"{\n":
                documents = state.tables.setdefault(key[1:].decode(), {})
            elif raw:
                documents[key[1:].decode()] = raw[:-2] if raw.endswith(b",\n") else raw[:-1]
            elif line != b"},\n":
                raise ValueError("a line that nobody wrote")
    count = sum(map(len, state.tables.values()))
    if orjson.loads(b"{" + footer) != {"count": count, "checksum": f"{checksum:08x}"}:
        raise ValueError("checksum")
