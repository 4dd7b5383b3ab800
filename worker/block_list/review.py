"""Mails that look like notices but need a person: durable, apart from the block list, in ``review.json``."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from worker.block_list.documents import format_time, parse_time, storable
from worker.block_list.layout import put_aside
from worker.block_list.lock import WriteLock
from worker.errors import DamagedFileError, StorageError
from worker.files import storage_error, write_atomically

_FORMAT = "buyerblock-review/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """A suspect mail. reason is one sentence; subject and sender were written by a stranger."""

    account: str
    gmail_id: str
    message_id: str
    received_at: datetime
    reason: str
    subject: str = ""
    sender: str = ""
    address: str | None = None
    order_id: str | None = None
    marketplace: str | None = None

    @property
    def id(self) -> str:
        """What the item is dismissed by."""
        return f"{self.account}:{self.gmail_id}"


class Review:
    """The review list of a data directory; threads and processes may share it.

    Calls raise StorageError when the disk fails, DamagedFileError once when the file cannot be read (it is
    then set aside), and BusyError when another process holds the file for too long.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "review.json"
        self._writers = WriteLock(directory / "review.lock")
        self._threads = Lock()

    def add(self, items: Iterable[ReviewItem]) -> int:
        """Keep these items, durably; return how many are new. One that was dismissed does not come back."""
        with self._changing() as held:
            new = {item.id: _document(item) for item in items}
            fresh = [key for key in new if key not in held]
            held.update({key: document for key, document in new.items() if held.get(key, True) is not None})
        return len(fresh)

    def items(self) -> list[ReviewItem]:
        """Return what waits for a decision, newest first."""
        found = [_item(document) for document in self._read().values() if document is not None]
        return sorted(found, key=lambda item: (item.received_at, item.id), reverse=True)

    def get(self, item_id: str) -> ReviewItem | None:
        """Return one item that waits, or None."""
        document = self._read().get(item_id)
        return _item(document) if document is not None else None

    def dismiss(self, item_id: str) -> bool:
        """Take an item off the list for good; return False if it was not on it."""
        with self._changing() as held:
            known = held.get(item_id) is not None
            if known:
                held[item_id] = None
        return known

    def _read(self) -> dict[str, dict[str, Any] | None]:
        """Return documents by id; None for a dismissed one."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise storage_error("read", self._path, error) from error
        try:
            data = orjson.loads(content)
            version, items = data["format"], data["items"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._set_aside() from error
        if version != _FORMAT:
            raise StorageError(
                f"{self._path} was written by a newer version of buyerblock; use that version."
            )
        return dict(items)

    def _set_aside(self) -> DamagedFileError:
        try:
            aside = put_aside(self._path)
        except OSError as error:
            raise storage_error("rename", self._path, error) from error
        return DamagedFileError(
            f"{self._path} is damaged and was set aside as {aside.name}; the review list starts anew, and the mails "
            "are still under their label in Gmail."
        )

    @contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, Any] | None]]:
        with self._threads, self._writers.held():
            before = self._read()
            after = dict(before)
            yield after
            if after != before:
                write_atomically(self._path, orjson.dumps({"format": _FORMAT, "items": after}))


def _document(item: ReviewItem) -> dict[str, Any]:
    fields = {
        name: storable(value) if isinstance(value, str) else value for name, value in asdict(item).items()
    }
    return {**fields, "received_at": format_time(item.received_at)}


def _item(document: dict[str, Any]) -> ReviewItem:
    return ReviewItem(**{**document, "received_at": parse_time(document["received_at"])})
