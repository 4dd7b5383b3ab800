"""A lock that threads get in the order of their requests."""

import threading
from collections import deque


class FairLock:
    """Prevents starvation: a busy thread could take a ``threading.Lock`` again and again while others wait."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[threading.Lock] = deque()  # one per thread; the first has the lock

    def acquire(self, timeout: float) -> bool:
        """Wait for the lock; return False after ``timeout`` seconds."""
        ticket = threading.Lock()
        ticket.acquire()
        with self._mutex:
            self._queue.append(ticket)
            if self._queue[0] is ticket:
                return True
        acquired = False
        try:
            acquired = ticket.acquire(timeout=timeout)
        finally:
            if not acquired:
                self._leave(ticket)
        return acquired

    def release(self) -> None:
        """Give the lock to the next thread."""
        self._leave(self._queue[0])

    def _leave(self, ticket: threading.Lock) -> None:
        with self._mutex:
            was_first = self._queue[0] is ticket
            self._queue.remove(ticket)
            if was_first and self._queue:
                self._queue[0].release()
