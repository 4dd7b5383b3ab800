"""A lock that threads get in the order in which they asked for it."""

import threading
from collections import deque


class Turns:
    """Unlike ``threading.Lock``, which a busy thread may take again and again while others wait for seconds."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._queue: deque[threading.Lock] = deque()  # the first is that of the thread whose turn it is

    def acquire(self, timeout: float) -> bool:
        """Wait for a turn; return False when it has not come after ``timeout`` seconds."""
        turn = threading.Lock()
        turn.acquire()
        with self._mutex:
            self._queue.append(turn)
            if self._queue[0] is turn:
                return True
        acquired = False
        try:
            acquired = turn.acquire(timeout=timeout)
        finally:
            if not acquired:
                self._leave(turn)
        return acquired

    def release(self) -> None:
        """Let the next thread have its turn."""
        self._leave(self._queue[0])

    def _leave(self, turn: threading.Lock) -> None:
        with self._mutex:
            was_first = self._queue[0] is turn
            self._queue.remove(turn)
            if was_first and self._queue:
                self._queue[0].release()
