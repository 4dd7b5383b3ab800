"""The HTTP sessions of all mailboxes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.gmail.connection import Session


class Sessions:
    """The sessions of all mailboxes: as many as there were ever calls in flight at once."""

    def __init__(self) -> None:
        self._idle: list[Session] = []
        self._closed = False

    @contextmanager
    def lent(self) -> Iterator["Session"]:
        """Lend a session that no other call uses: not one a thread, since any of many threads may run a pass."""
        # A program without a mailbox needs no library of HTTP in memory.
        from worker.gmail.connection import Session  # noqa: PLC0415

        try:
            session = self._idle.pop()
        except IndexError:
            session = Session()
        try:
            yield session
        finally:
            self._idle.append(session)
            if self._closed:
                self.close()

    def close(self) -> None:
        """Close what is open; what a call uses is closed at its end."""
        self._closed = True
        while self._idle:
            self._idle.pop().http.close()
