"""Destinations of notifications: connected mailboxes, and messengers with a secret URL."""

import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from worker.clock import has_come, wait_after
from worker.database import Database, stored
from worker.errors import UsageError
from worker.notifications.messengers import service_of
from worker.sealing import Sealer

FIRST_WAIT = timedelta(minutes=1)  # by then Gmail's search finds a new mail
MAX_WAIT = timedelta(hours=1)
MAX_DESTINATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A mailbox or a messenger.

    account: of the mailbox, "" for a messenger. service, url: Apprise's name and URL of the messenger. failures: failed
    tries in a row. next_try: the earliest time of the next try. problem: one sentence about the last failure.
    """

    id: str
    account: str = ""
    service: str = ""
    url: str = field(default="", repr=False)
    failures: int = 0
    next_try: datetime | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.account or self.service

    def is_due(self, now: datetime) -> bool:
        return self.next_try is None or has_come(self.next_try, MAX_WAIT, now)

    def after_try(self, problem: str, now: datetime) -> "Destination":
        """Return the destination after a try. Each failure in a row doubles the wait. problem: "" for a success."""
        if not problem:
            return replace(self, failures=0, next_try=None, problem="")
        wait = wait_after(self.failures, FIRST_WAIT, MAX_WAIT)
        return replace(self, failures=self.failures + 1, next_try=now + wait, problem=problem)


_to_destination = partial(stored, Destination)  # its URL is still encrypted


class Destinations:
    """The destinations, with encrypted URLs. Raises StorageError, and UnsealError for another secret key."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._documents = database.documents("destinations")
        self._documents.expect(_to_destination)

    def all(self) -> list[Destination]:
        """Return the destinations, sorted by name."""
        found = sorted(map(_to_destination, self._documents.walk()), key=lambda it: it.name.casefold())
        return [replace(it, url=it.url and self._sealer.unseal(it.url)) for it in found]

    def get(self, destination_id: str) -> Destination:
        """Return a destination. Raises UsageError if it was removed."""
        found = next((it for it in self.all() if it.id == destination_id), None)
        if found is None:
            raise UsageError("This destination is not there any more; load the page again.")
        return found

    def add_mailbox(self, email: str) -> Destination:
        """Add a connected mailbox. Raises UsageError if it is a destination already."""
        return self._add(Destination(id=_new_id(), account=email))

    def add_messenger(self, url: str) -> Destination:
        """Add a messenger by its Apprise URL. Raises UsageError for a URL that Apprise does not know."""
        return self._add(Destination(id=_new_id(), service=service_of(url), url=url))

    def remove(self, destination_id: str) -> bool:
        """Remove a destination, even an unreadable one; return False if it did not exist."""
        with self._database.together():
            found = self._documents.find(destination_id) is not None
            self._documents.delete([destination_id])
        return found

    def update(self, before: Destination, after: Destination) -> None:
        """Store a changed destination, unless it was removed meanwhile."""
        with self._database.together():
            if self._documents.find(before.id) is not None:
                self._put(after)

    def _add(self, new: Destination) -> Destination:
        with self._database.together():
            existing = self.all()
            if any((it.name, it.url) == (new.name, new.url) for it in existing):
                raise UsageError("{name} gets notifications already.", name=new.name)
            if len(existing) >= MAX_DESTINATIONS:
                raise UsageError(
                    "No more than {most} can get notifications; remove one first.", most=MAX_DESTINATIONS
                )
            self._put(new)
        return new

    def _put(self, it: Destination) -> None:
        self._documents.put({it.id: asdict(it) | {"url": it.url and self._sealer.seal(it.url)}})


def _new_id() -> str:
    return secrets.token_hex(8)
