"""Which messages of the last days were judged, so that a search over them reads none twice.

Losing this file costs quota, never correctness, so it is no more than a file of ids by day.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from worker.files import make_private_directory, write_atomically

KEPT = timedelta(days=9)  # a day longer than the longest routine search looks back


class JudgedIds:
    """Ids of judged messages in one mailbox."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._days: dict[str, list[str]] = orjson.loads(path.read_bytes())
        except (OSError, ValueError):
            self._days = {}
        self._ids = {message_id for ids in self._days.values() for message_id in ids}

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._ids

    def add(self, message_ids: Iterable[str], now: datetime) -> None:
        """Remember these as judged today, and forget the oldest days. Raises StorageError."""
        oldest = (now - KEPT).date().isoformat()
        self._days = {day: ids for day, ids in self._days.items() if day >= oldest}
        self._days.setdefault(now.date().isoformat(), []).extend(message_ids)
        self._ids = {message_id for ids in self._days.values() for message_id in ids}
        make_private_directory(self._path.parent)
        write_atomically(self._path, orjson.dumps(self._days))
