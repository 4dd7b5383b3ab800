"""Mails that look like notices but need a person: durable, apart from the block list."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from tinydb import where

from worker.block_list.documents import storable
from worker.block_list.model import Sighting
from worker.database import Database, checked, format_time, parse_time
from worker.notices.doubts import Doubt, Reason
from worker.notices.model import OptOut


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """A suspect mail. subject and sender were written by a stranger."""

    account: str
    gmail_id: str
    message_id: str
    received_at: datetime
    reason: Reason
    subject: str = ""
    sender: str = ""
    address: str | None = None
    order_id: str | None = None
    marketplace: str | None = None

    @property
    def id(self) -> str:
        """What the item is dismissed by."""
        return item_id(self.account, self.gmail_id)


def sighting_of(
    notice: OptOut | ReviewItem, *, account: str, message_id: str, received_at: datetime
) -> Sighting:
    """Return what a notice tells the block list. message_id: for a mail that has none of its own."""
    return Sighting(
        account=account,
        message_id=notice.message_id or message_id,
        received_at=received_at,
        address=notice.address,
        order_id=notice.order_id,
        marketplace=notice.marketplace,
        sent_on=notice.sent_on if isinstance(notice, OptOut) else None,
    )


def item_id(account: str, gmail_id: str) -> str:
    """Return by what a mail is known on the review list."""
    return f"{account}:{gmail_id}"


class Review:
    """The review list. Raises StorageError, DamagedFileError and BusyError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.documents("review")
        self._items.expect(_item)

    def __len__(self) -> int:
        return self._items.count(_WAITING)

    def add(self, items: Iterable[ReviewItem]) -> int:
        """Keep these items; return how many are new. One that was dismissed does not come back."""
        new = {item.id: _document(item) for item in items}
        with self._database.together():
            known = self._items.find_many(new)
            waiting = {key for key in new if known.get(key, new[key])["state"] == "waiting"}
            self._items.put({key: document for key, document in new.items() if key in waiting})
        return len(new.keys() - known.keys())

    def items(self, limit: int | None = None) -> list[ReviewItem]:
        """Return what waits for a decision, newest first; all of it, or at most ``limit``."""
        found = self._items.walk("received_at", descending=True, matching=_WAITING)
        return list(map(_item, islice(found, limit)))

    def get(self, item_id: str) -> ReviewItem | None:
        """Return one item that waits, or None."""
        document = self._items.find(item_id)
        return _item(document) if document and _WAITING(document) else None

    def dismiss(self, item_id: str) -> bool:
        """Take an item off the list for good; return False if it was not on it."""
        return bool(self.dismiss_all([item_id]))

    def dismiss_all(self, item_ids: Iterable[str]) -> int:
        """Take items off the list for good; return how many were on it."""
        with self._database.together():
            found = self._items.find_many(item_ids)
            waiting = {key: {**it, "state": "dismissed"} for key, it in found.items() if _WAITING(it)}
            self._items.put(waiting)
        return len(waiting)


_WAITING = where("state") == "waiting"


def _document(item: ReviewItem) -> dict[str, Any]:
    fields = {
        name: storable(value) if isinstance(value, str) else value for name, value in asdict(item).items()
    }
    reason = {"doubt": item.reason.doubt.name, "address": storable(item.reason.address)}
    return {**fields, "received_at": format_time(item.received_at), "reason": reason, "state": "waiting"}


def _item(document: Mapping[str, Any]) -> ReviewItem:
    values = {name: document[name] for name in ReviewItem.__dataclass_fields__}
    reason = checked(Reason(Doubt[document["reason"]["doubt"]], document["reason"]["address"]))
    values |= {"received_at": parse_time(document["received_at"]), "reason": reason}
    return checked(ReviewItem(**values))
