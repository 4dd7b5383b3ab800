"""Mails that look like notices but need a person: durable, apart from the block list."""

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
from worker.block_list.listing import Page, page_in_range, shown
from worker.block_list.model import Sighting
from worker.database import Database, format_time, stored
from worker.notices.doubts import Doubt, Reason
from worker.notices.model import OptOut

State = Literal["waiting", "dismissed", "blocked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """A suspect mail. subject and sender were written by a stranger.

    state: what a person decided about it. began_block: whether nothing but that decision blocks its buyer.
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
        """What the item is decided about by."""
        return item_id(self.account, self.gmail_id)

    @property
    def key(self) -> str | None:
        """By what its buyer is blocked, None if it names nobody."""
        return self.address or self.order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQuery:
    """Which mails somebody asks for; None and the empty text ask for all.

    about: the address that the reason names. decision: by which the mails were decided about. q: part of the subject,
    the sender, the buyer's address or the order ID, in any case.
    """

    state: State = "waiting"
    doubts: frozenset[Doubt] | None = None
    about: str | None = None
    account: str | None = None
    decision: str | None = None
    q: str = ""

    def matching(self) -> QueryInstance:
        """Return all of this but the text as a query of the database."""
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

    def finds(self, document: Mapping[str, Any]) -> bool:
        """Return whether a stored item holds the text."""
        text = "\n".join(document[it] or "" for it in ("subject", "sender", "address", "order_id")).casefold()
        return " ".join(self.q.casefold().split()) in text


WAITING = ReviewQuery()
_item = partial(stored, ReviewItem)


def sighting_of(
    notice: OptOut | ReviewItem, *, account: str, message_id: str, received_at: datetime
) -> Sighting:
    """Return what a notice says to the block list. message_id: for a mail that has none of its own."""
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
        return self.count()

    def count(self, query: ReviewQuery = WAITING) -> int:
        """Return how many mails there are."""
        return len(self.items(query)) if query.q else self._items.count(query.matching())

    def add(self, items: Iterable[ReviewItem]) -> int:
        """Keep these items; return how many are new. One that was decided about does not come back."""
        new = {item.id: _document(item) for item in items}
        with self._database.together():
            known = self._items.find_many(new)
            waiting = {key for key in new if known.get(key, new[key])["state"] == "waiting"}
            self._items.put({key: document for key, document in new.items() if key in waiting})
        return len(new.keys() - known.keys())

    def items(self, query: ReviewQuery = WAITING, limit: int | None = None) -> list[ReviewItem]:
        """Return the mails that are asked for, newest first; all of them, or at most ``limit``."""
        found = self._items.walk("received_at", descending=True, matching=query.matching())
        return list(islice(map(_item, filter(query.finds, found)), limit))

    def page(self, query: ReviewQuery, *, number: int, size: int) -> Page[ReviewItem]:
        """Return one page of mails, newest first; a number beyond the last page means the last."""
        # A text is searched for in all of them; else the index leads to the page.
        found = self.items(query) if query.q else None
        total = self.count(query) if found is None else len(found)
        number, wanted = page_in_range(number, total, size)
        if found is not None:
            return Page(tuple(found[wanted]), number, total, size)
        matching = query.matching()
        some = shown(self._items, "received_at", wanted, total, descending=True, matching=matching)
        return Page(tuple(map(_item, some)), number, total, size)

    def get(self, item_id: str) -> ReviewItem | None:
        """Return one item in any state, or None."""
        document = self._items.find(item_id)
        return _item(document) if document else None

    def decide(
        self, item_ids: Iterable[str], state: State, *, decision: str = "", began: Container[str] = ()
    ) -> int:
        """Bring items into a state; return how many were in another one.

        decision: a name for all that is decided at once, to take it back by. began: the ids of items of whose buyers
        nothing was known before they are blocked now.
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
        """Take off what waits: it was judged again, and needs nobody's decision any more."""
        with self._database.together():
            found = self._items.find_many(item_ids)
            self._items.delete([key for key, it in found.items() if it["state"] == "waiting"])


def _document(item: ReviewItem) -> dict[str, Any]:
    values = {
        name: storable(value) if isinstance(value, str) else value for name, value in asdict(item).items()
    }
    reason = {"doubt": item.reason.doubt.name, "address": storable(item.reason.address)}
    return {**values, "received_at": format_time(item.received_at), "reason": reason}
