"""The HTTP sessions of all mailboxes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.gmail.connection import Session


class Sessions:
    """A pool of sessions for all mailboxes. It grows to the largest number of calls in flight."""

    def __init__(self) -> None:
        self._idle: list[Session] = []
        self._closed = False

    @contextmanager
    def borrow(self) -> Iterator["Session"]:
        """Yield a session that no other call uses. Not one per thread: too many threads run passes."""
        # Not in memory without a mailbox.
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
        """Close all sessions; one in use is closed when its call ends."""
        self._closed = True
        while self._idle:
            self._idle.pop().http.close()
