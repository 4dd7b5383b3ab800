"""A mail between the tool and the real server: in memory while it is small, then in a temporary file.

It is stored in the format of the wire, with SMTP's dot-stuffing, and sent in the same format, so its bytes never
change.
"""

import re
import tempfile
from asyncio import LimitOverrunError, StreamReader
from collections.abc import Callable, Iterator
from pathlib import Path

from worker.notices.headers import HEAD_LIMIT

IN_MEMORY = 1_000_000  # bytes
_CHUNK_SIZE = 256 * 1024
_END_OF_MAIL = b"\r\n.\r\n"
# A dot alone between line ends other than CRLF. A server that accepts it as the end of the mail would read the rest as
# commands that the gate did not check (“SMTP smuggling”).
_FALSE_END = re.compile(rb"[\r\n]\.[\r\n]")


class Body:
    """A mail; a context manager that deletes it. size: bytes on the wire. false_end: it contains a ``_FALSE_END``.

    After ``max_size`` bytes (``too_large``), or when the disk is full (``disk_full``), the rest is read but not stored.
    """

    def __init__(self, folder: Path, max_size: int) -> None:
        # Not in the temporary folder that all users of the machine share.
        self._file = tempfile.SpooledTemporaryFile[bytes](IN_MEMORY, dir=str(folder))
        self._max_size = max_size
        self._last = b"\r\n"  # the line end of DATA
        self.size = 0
        self.false_end = self.disk_full = False

    def __enter__(self) -> "Body":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def too_large(self) -> bool:
        return self.size > self._max_size

    @property
    def head(self) -> bytes:
        """The first HEAD_LIMIT bytes, with the header block."""
        self._file.seek(0)
        return self._file.read(HEAD_LIMIT)

    def chunks(self) -> Iterator[bytes]:
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK_SIZE):
            yield chunk

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        seen = self._last + chunk
        self.false_end = self.false_end or _FALSE_END.search(seen) is not None
        self._last = seen[-2:]
        if self.too_large or self.disk_full:
            return
        try:
            self._file.write(chunk)
        except OSError:
            self.disk_full = True


async def read_body(reader: StreamReader, body: Body, on_data: Callable[[], None]) -> None:
    """Read a mail from the wire, without its end mark. on_data: called after each chunk.

    Raises IncompleteReadError if the connection ends before the end mark.
    """
    # The end mark may use the line end of DATA. Read in steps that cannot go past the end mark, until the tail contains
    # no part of it.
    tail = b"\r\n"
    foreign = len(tail)  # bytes of the tail that do not belong to the mail
    while tail:
        tail += await reader.readexactly(len(_END_OF_MAIL) - len(tail))
        if tail == _END_OF_MAIL:
            body.write(tail[foreign:2])
            return
        keep = next(n for n in range(len(_END_OF_MAIL) - 1, -1, -1) if tail.endswith(_END_OF_MAIL[:n]))
        done = len(tail) - keep
        body.write(tail[foreign:done])
        foreign = max(0, foreign - done)
        tail = tail[done:]
    while True:
        try:
            last = await reader.readuntil(_END_OF_MAIL)
        except LimitOverrunError as error:
            body.write(await reader.readexactly(error.consumed))
            on_data()
        else:
            body.write(last[: 2 - len(_END_OF_MAIL)])
            return
