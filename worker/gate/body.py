"""A mail between the tool and the real server: in memory while it is small, then in a temporary file.

It is kept as it comes over the wire, with the dots that SMTP puts before lines, and goes on so: nothing is taken out
and put back, so nothing can change.
"""

import re
import tempfile
from asyncio import LimitOverrunError, StreamReader
from collections.abc import Callable, Iterator
from pathlib import Path

from worker.notices.headers import HEAD_LIMIT

IN_MEMORY = 1_000_000  # bytes
_PIECE = 256 * 1024
_END = b"\r\n.\r\n"
# A dot alone between other line ends than CRLF. A server that takes it for the end reads what follows as commands
# (“SMTP smuggling”), which this gate has not seen.
_FALSE_END = re.compile(rb"[\r\n]\.[\r\n]")


class Body:
    """A mail; a context manager that deletes it. size: its bytes on the wire. false_end: holds one, see above.

    Past ``most`` bytes, or where the disk is full, it is read to its end and not kept: ``too_large``, ``no_room``.
    """

    def __init__(self, folder: Path, most: int) -> None:
        # Here and not in the folder that all users of the machine share.
        self._file = tempfile.SpooledTemporaryFile[bytes](IN_MEMORY, dir=str(folder))
        self._most = most
        self._last = b"\r\n"  # of the command that began it
        self.size = 0
        self.false_end = self.no_room = False

    def __enter__(self) -> "Body":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def too_large(self) -> bool:
        return self.size > self._most

    @property
    def head(self) -> bytes:
        """Its first bytes, with the header block."""
        self._file.seek(0)
        return self._file.read(HEAD_LIMIT)

    def pieces(self) -> Iterator[bytes]:
        """Yield it from the beginning."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def write(self, piece: bytes) -> None:
        """Add to it."""
        self.size += len(piece)
        seen = self._last + piece
        self.false_end = self.false_end or _FALSE_END.search(seen) is not None
        self._last = seen[-2:]
        if self.too_large or self.no_room:
            return
        try:
            self._file.write(piece)
        except OSError:
            self.no_room = True


async def read_body(reader: StreamReader, body: Body, moved: Callable[[], None]) -> None:
    """Read from the wire up to the end of the mail, which is left out. moved: called whenever there is more.

    Raises IncompleteReadError when the connection ends before.
    """
    # The end may begin with the line end of the command, or with what follows at once: in steps that cannot lead behind
    # it, until nothing is seen of it.
    tail = b"\r\n"
    known = len(tail)  # bytes of it that are not the mail's
    while tail:
        tail += await reader.readexactly(len(_END) - len(tail))
        if tail == _END:
            body.write(tail[known:2])
            return
        keep = next(n for n in range(len(_END) - 1, -1, -1) if tail.endswith(_END[:n]))
        gone = len(tail) - keep
        body.write(tail[known:gone])
        known = max(0, known - gone)
        tail = tail[gone:]
    while True:
        try:
            last = await reader.readuntil(_END)
        except LimitOverrunError as error:
            body.write(await reader.readexactly(error.consumed))
            moved()
        else:
            body.write(last[: 2 - len(_END)])
            return
