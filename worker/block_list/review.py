"""The review list: mails that look like notices but need a person's decision."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial, reduce
from itertools import islice
from operator import and_
from typing import Any, Literal

from tinydb import where
from tinydb.queries import QueryInstance

from worker.block_list.documents import storable
from worker.block_list.listing import Page, clamped_page, read_slice
from worker.block_list.model import Sighting
from worker.database import Database, format_time, stored
from worker.notices.doubts import Doubt, Reason
from worker.notices.model import OptOut

State = Literal["waiting", "dismissed", "blocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """A suspect mail. subject and sender: untrusted text.

    state: a person's decision. began_block: whether only that decision blocks its buyer.
    """

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
    state: State = "waiting"
    began_block: bool = False

    @property
    def id(self) -> str:
        return item_id(self.account, self.gmail_id)

    @property
    def key(self) -> str | None:
        """The key of its buyer, None if it names nobody."""
        return self.address or self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQuery:
    """A filter for mails; None and the empty text mean all.

    about: the address in the reason. decision: the name given to ``decide``. q: part of the subject, the sender, the
    buyer's address or the order ID, case-insensitive.
    """

    state: State = "waiting"
    doubts: frozenset[Doubt] | None = None
    about: str | None = None
    account: str | None = None
    decision: str | None = None
    q: str = ""

    def matching(self) -> QueryInstance:
        """Return the filters except q as a query of the database."""
        filters: list[QueryInstance] = [where("state") == self.state]
        if self.doubts is not None:
            filters.append(where("reason")["doubt"].one_of(sorted(it.name for it in self.doubts)))
        if self.about is not None:
            filters.append(where("reason")["address"] == self.about)
        if self.account is not None:
            filters.append(where("account") == self.account)
        if self.decision is not None:
            filters.append(where("decision") == self.decision)
        matching: QueryInstance = reduce(and_, filters)
        return matching

    def matches_text(self, document: Mapping[str, Any]) -> bool:
        """Return whether a stored item contains q."""
        text = "\n".join(document[it] or "" for it in ("subject", "sender", "address", "order_id")).casefold()
        return " ".join(self.q.casefold().split()) in text


WAITING = ReviewQuery()
_item = partial(stored, ReviewItem)


def sighting_of(
    notice: OptOut | ReviewItem, *, account: str, message_id: str, received_at: datetime
) -> Sighting:
    """Return the sighting of a notice. message_id: for a mail without a Message-ID."""
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
    """Return the key of a mail on the review list."""
    return f"{account}:{gmail_id}"


class Review:
    """The review list. Raises StorageError, DamagedFileError and BusyError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.documents("review")
        self._items.expect(_item)

    def __len__(self) -> int:
        return self.count()

    def count(self, query: ReviewQuery = WAITING) -> int:
        """Return the number of mails."""
        return len(self.items(query)) if query.q else self._items.count(query.matching())

    def add(self, items: Iterable[ReviewItem]) -> int:
        """Store these items; return how many are new. An item with a decision is not changed."""
        new = {item.id: _document(item) for item in items}
        with self._database.together():
            known = self._items.find_many(new)
            waiting = {key for key in new if known.get(key, new[key])["state"] == "waiting"}
            self._items.put({key: document for key, document in new.items() if key in waiting})
        return len(new.keys() - known.keys())

    def items(self, query: ReviewQuery = WAITING, limit: int | None = None) -> list[ReviewItem]:
        """Return the mails of a query, newest first; all of them, or at most ``limit``."""
        found = self._items.walk("received_at", descending=True, matching=query.matching())
        return list(islice(map(_item, filter(query.matches_text, found)), limit))

    def page(self, query: ReviewQuery, *, number: int, size: int) -> Page[ReviewItem]:
        """Return one page of mails, newest first; a number beyond the last page gives the last."""
        # A text search reads all mails; without a text the index finds the page.
        found = self.items(query) if query.q else None
        total = self.count(query) if found is None else len(found)
        number, wanted = clamped_page(number, total, size)
        if found is not None:
            return Page(tuple(found[wanted]), number, total, size)
        matching = query.matching()
        documents = read_slice(self._items, "received_at", wanted, total, descending=True, matching=matching)
        return Page(tuple(map(_item, documents)), number, total, size)

    def get(self, item_id: str) -> ReviewItem | None:
        """Return one item in any state, or None."""
        document = self._items.find(item_id)
        return _item(document) if document else None

    def decide(
        self, item_ids: Iterable[str], state: State, *, decision: str = "", began: Container[str] = ()
    ) -> int:
        """Set the state of items; return how many were in another state.

        decision: a name for all items decided together, for the undo. began: the ids of items whose buyers were not
        blocked before.
        """
        with self._database.together():
            found = self._items.find_many(item_ids)
            changed = {
                key: {**it, "state": state, "decision": decision, "began_block": key in began}
                for key, it in found.items()
                if it["state"] != state
            }
            self._items.put(changed)
        return len(changed)

    def forget(self, item_ids: Iterable[str]) -> None:
        """Delete the waiting ones of these items: they were judged again, and need no decision."""
        with self._database.together():
            found = self._items.find_many(item_ids)
            self._items.delete([key for key, it in found.items() if it["state"] == "waiting"])


def _document(item: ReviewItem) -> dict[str, Any]:
    values = {
        name: storable(value) if isinstance(value, str) else value for name, value in asdict(item).items()
    }
    reason = {"doubt": item.reason.doubt.name, "address": storable(item.reason.address)}
    return {**values, "received_at": format_time(item.received_at), "reason": reason}
