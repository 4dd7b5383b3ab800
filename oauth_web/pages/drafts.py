"""Imports that were previewed and wait for the owner's yes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from worker.block_list.formats.model import Preview

LIFE = timedelta(minutes=30)
MOST = 5  # at once; a preview of a large file takes memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an import would do, and whose browser asked. source: the file's name."""

    session_id: str
    preview: Preview
    source: str
    made: datetime


class Drafts:
    """The drafts, in memory: a restart forgets them, and the file is chosen again."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._drafts: dict[str, Draft] = {}

    def keep(self, preview: Preview, *, session_id: str, source: str) -> str:
        """Keep a preview and return the name by which it is taken."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            while len(self._drafts) >= MOST:
                del self._drafts[next(iter(self._drafts))]
            self._drafts[name] = Draft(
                session_id=session_id, preview=preview, source=source, made=self._now()
            )
        return name

    def take(self, name: str, *, session_id: str) -> Draft | None:
        """Return a draft of this browser and forget it; None if there is none, or it is too old."""
        with self._lock:
            draft = self._drafts.get(name)
            if draft is None or draft.session_id != session_id:
                return None
            del self._drafts[name]
        return draft if self._now() - draft.made <= LIFE else None
