"""What waits for the same browser to come back: sign-ins at Google, and imports that were previewed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Pending(Generic[_T]):
    """Values by a name that nobody can guess, each taken once, by the session that left it, before it is too old.

    They are in memory: a restart forgets them. life: how long one is kept. most: so many at once; the oldest go first,
    so that a flood costs no memory.
    """

    def __init__(self, now: Callable[[], datetime], *, life: timedelta, most: int) -> None:
        self._now = now
        self._life = life
        self._most = most
        self._lock = Lock()
        self._waiting: dict[str, tuple[str, _T, datetime]] = {}

    def add(self, name: str, value: _T, *, session_id: str) -> None:
        """Keep a value until its browser comes back."""
        with self._lock:
            while len(self._waiting) >= self._most:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[name] = session_id, value, self._now()

    def take(self, name: str, *, session_id: str) -> _T | None:
        """Return the value and forget it; None if it is not this session's, was taken or is too old."""
        with self._lock:
            if name not in self._waiting or self._waiting[name][0] != session_id:
                return None
            _, value, added = self._waiting.pop(name)
        return value if self._now() - added <= self._life else None
