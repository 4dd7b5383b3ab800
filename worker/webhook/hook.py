"""The stored webhook: its address, its position among the events, and its failures."""

import base64
import secrets
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from worker.clock import has_come, wait_after
from worker.database import Database, stored
from worker.errors import UsageError
from worker.sealing import Sealer
from worker.webhook.target import check_literal, parse_target

FIRST_WAIT = timedelta(seconds=5)
MAX_WAIT = timedelta(hours=1)
# It is paused after failing for this time,
PAUSE_AFTER = timedelta(days=1)
# and after so many tries, which is about a day's number: a machine may be asleep for a day, and wake without a network.
MIN_TRIES = 30
_KEY = "webhook"


@dataclass(frozen=True, slots=True)
class Position:
    """A cursor: all events up to ``sequence`` were sent, and ``done`` entries of the next event.

    lineage: the identity of the database; a restored one has another.
    """

    lineage: str
    sequence: int
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """The webhook.

    secret: starts with ``whsec_``. allow_private: the address may be in a private network. failures: failed tries in a
    row. next_try: the time of the next try, None for at once. paused: failed for a day and waits for a person. problem:
    one sentence about the last failure, "" if all is well.
    """

    url: str
    secret: str = field(repr=False)
    allow_private: bool
    position: Position
    failures: int = 0
    failing_since: datetime | None = None
    next_try: datetime | None = None
    paused: bool = False
    problem: str = ""

    def is_due(self, now: datetime) -> bool:
        """Return whether a try is due."""
        return not self.paused and (self.next_try is None or has_come(self.next_try, MAX_WAIT, now))

    def failed(self, problem: str, now: datetime) -> "Hook":
        """Return the state after a failed try, with exponential backoff."""
        since = self.failing_since or now
        wait = wait_after(self.failures, FIRST_WAIT, MAX_WAIT)
        return replace(
            self,
            failures=self.failures + 1,
            failing_since=since,
            next_try=now + wait,
            paused=now - since >= PAUSE_AFTER and self.failures + 1 >= MIN_TRIES,
            problem=problem,
        )

    def reset(self) -> "Hook":
        """Return the state without failures."""
        return replace(self, failures=0, failing_since=None, next_try=None, paused=False, problem="")


_to_hook = partial(stored, Hook)  # with an encrypted secret


def newest_position(database: Database) -> Position:
    """Return the position after the newest event."""
    lineage, _, sequence = database.version().rpartition("-")
    return Position(lineage, int(sequence))


class Webhook:
    """The webhook, if there is one.

    Raises StorageError, and UnsealError if its secret was encrypted with another key.
    """

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self.database = database
        self._documents = database.documents("webhook")
        self._documents.expect(_to_hook)
        self._sealer = sealer

    def get(self) -> Hook | None:
        if (document := self._documents.find(_KEY)) is None:
            return None
        hook = _to_hook(document)
        return replace(hook, secret=self._sealer.unseal(hook.secret))

    def existing(self) -> Hook:
        """Return the webhook. Raises UsageError if there is none."""
        if (hook := self.get()) is None:
            raise UsageError("There is no webhook; set one with “buyerblock webhook set URL”.")
        return hook

    def set(self, url: str, *, allow_private: bool = False) -> str:
        """Set the address; return the secret for signatures.

        The messages that a former webhook did not get go to the new address. Raises UsageError for an invalid address.
        """
        check_literal(parse_target(url), allow_private=allow_private)
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        with self.database.together():
            hook = self.get()
            position = hook.position if hook else newest_position(self.database)
            self._put(Hook(url=url, secret=secret, allow_private=allow_private, position=position))
        return secret

    def remove(self) -> bool:
        """Remove the webhook; return False if there was none. Works even if it cannot be decrypted."""
        with self.database.together():
            found = self._documents.find(_KEY) is not None
            self._documents.delete([_KEY])
        return found

    def resume(self) -> None:
        """Try again at once, from the current position. Raises UsageError if there is no webhook."""
        with self.database.together():
            self._put(self.existing().reset())

    def update(self, before: Hook, after: Hook) -> bool:
        """Store a new state, unless it was changed meanwhile; return whether it was stored."""
        with self.database.together():
            if self.get() != before:
                return False
            self._put(after)
        return True

    def _put(self, hook: Hook) -> None:
        self._documents.put({_KEY: asdict(hook) | {"secret": self._sealer.seal(hook.secret)}})
