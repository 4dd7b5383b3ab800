"""Where the owner wants to be notified: connected mailboxes, and messengers by an address that is a secret."""

import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from worker.clock import has_come, wait_after
from worker.database import Database, stored
from worker.errors import UsageError
from worker.notifications.messengers import service_of
from worker.sealing import Sealer

FIRST_WAIT = timedelta(minutes=1)  # Gmail's search finds a new mail by then
MAX_WAIT = timedelta(hours=1)
MAX_DESTINATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A mailbox or a messenger.

    account: of the mailbox; "" for a messenger. service, url: of the messenger, as Apprise names and takes them.
    failures: tries in a row that failed. next_try: not before then. problem: one sentence about the last failure.
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
        """What people call it."""
        return self.account or self.service

    def is_due(self, now: datetime) -> bool:
        """Return whether it may be tried."""
        return self.next_try is None or has_come(self.next_try, MAX_WAIT, now)

    def tried(self, problem: str, now: datetime) -> "Destination":
        """Return it after a try: after each one that failed the next waits twice as long."""
        if not problem:
            return replace(self, failures=0, next_try=None, problem="")
        wait = wait_after(self.failures, FIRST_WAIT, MAX_WAIT)
        return replace(self, failures=self.failures + 1, next_try=now + wait, problem=problem)


_to_destination = partial(stored, Destination)  # its address still sealed


class Destinations:
    """The destinations, their addresses sealed. Raises StorageError, and UnsealError for another secret key."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._documents = database.documents("destinations")
        self._documents.expect(_to_destination)

    def all(self) -> list[Destination]:
        """Return all of them, by name."""
        found = sorted(map(_to_destination, self._documents.walk()), key=lambda it: it.name.casefold())
        return [replace(it, url=it.url and self._sealer.unseal(it.url)) for it in found]

    def get(self, destination_id: str) -> Destination:
        """Return one. Raises UsageError if it is gone."""
        found = next((it for it in self.all() if it.id == destination_id), None)
        if found is None:
            raise UsageError("This destination is not there any more; load the page again.")
        return found

    def add_mailbox(self, email: str) -> Destination:
        """Notify a connected mailbox. Raises UsageError if it is notified already."""
        return self._add(Destination(id=_new_id(), account=email))

    def add_messenger(self, url: str) -> Destination:
        """Notify a messenger, by an address of Apprise's. Raises UsageError for one that it does not know."""
        return self._add(Destination(id=_new_id(), service=service_of(url), url=url))

    def remove(self, destination_id: str) -> bool:
        """Send it nothing any more; return False if it was gone. This works even where it cannot be read."""
        with self._database.together():
            found = self._documents.find(destination_id) is not None
            self._documents.delete([destination_id])
        return found

    def update(self, before: Destination, after: Destination) -> None:
        """Store what has become of it, unless it was removed meanwhile."""
        with self._database.together():
            if self._documents.find(before.id) is not None:
                self._put(after)

    def _add(self, new: Destination) -> Destination:
        with self._database.together():
            there = self.all()
            if any((it.name, it.url) == (new.name, new.url) for it in there):
                raise UsageError("{name} gets notifications already.", name=new.name)
            if len(there) >= MAX_DESTINATIONS:
                raise UsageError(
                    "No more than {most} can get notifications; remove one first.", most=MAX_DESTINATIONS
                )
            self._put(new)
        return new

    def _put(self, it: Destination) -> None:
        self._documents.put({it.id: asdict(it) | {"url": it.url and self._sealer.seal(it.url)}})


def _new_id() -> str:
    return secrets.token_hex(8)
