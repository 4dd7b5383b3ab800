"""What the routes work with, for one seller; and whose of them serve a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from flask import current_app, g

from oauth_web.access.limits import Limit
from oauth_web.access.owners import Owners
from oauth_web.access.pending import Pending
from oauth_web.access.sessions import Sessions, SessionStore
from oauth_web.access.start_link import StartLink
from worker.app import App
from worker.notifications import Destinations
from worker.operation.health import Health
from worker.owner.tokens import Tokens
from worker.webhook import Webhook

NAME = "buyerblock"
HEALTH_KEPT_FOR = 5.0  # seconds

BackUp = Callable[[Path, str | None], None]


class CachedHealth:
    """The health, looked at again after some seconds: each look writes to the disk, and anybody may ask.

    monotonic: seconds that never run backwards.
    """

    def __init__(self, look: Callable[[], Health], monotonic: Callable[[], float]) -> None:
        self._look = look
        self._monotonic = monotonic
        self._lock = Lock()
        self._kept: tuple[float, Health] | None = None

    def get(self) -> Health:
        """Return the health of now, or of a moment ago."""
        with self._lock:
            if self._kept is None or self._monotonic() - self._kept[0] >= HEALTH_KEPT_FOR:
                self._kept = (self._monotonic(), self._look())
            return self._kept[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The engine of one seller, and what only the page knows: who may enter, who is inside, what is pending.

    session_prefix: how the names of this seller's sessions begin. pending_imports: files that were previewed.
    pending_grants: of mailboxes that somebody is asked about, and of newcomers who are asked whose list they want.
    start_link: for the first owner; None on a host, where
    everybody may try to sign in. back_up: writes a backup of all that this seller has to a file, under a passphrase or
    None; raises what ``backup.py`` raises. restart: has the server restart in a moment.
    """

    app: App
    owners: Owners
    sessions: Sessions
    session_prefix: str = ""
    pending_imports: Pending
    pending_grants: Pending
    start_link: StartLink | None
    health: CachedHealth
    tokens: Tokens
    webhook: Webhook
    destinations: Destinations
    # Of strangers. Behind a proxy that does not name them all share one.
    sign_in_limit: Limit
    token_limit: Limit
    api_limit: Limit
    download_limit: Limit  # by the name of the token
    back_up: BackUp
    restart: Callable[[], None]


class Sellers(Protocol):
    """Whose page it is: one seller's at home, many sellers' on a host."""

    @property
    def sessions(self) -> SessionStore:
        """The sessions of all of them."""

    def current(self) -> Services:
        """Return what serves this request, by its session."""

    def of_session(self, name: str) -> Services:
        """Return what serves an owner's session."""

    def of_token(self, secret: str) -> Services | None:
        """Return what serves a program that shows this token; None if nobody has made it."""

    def choices(self, email: str) -> Mapping[str, str]:
        """Return the sellers among whom this account has to choose, each with who let it in; none if it need not.

        Its own address means a list of its own. "" where nobody need have let it in, or it has entered before.
        """

    def admit(self, email: str, chosen: str = "") -> Services | None:
        """Return what serves whoever signs in with this Google account; None if it gets no list here.

        chosen: one of its choices.
        """

    def is_connected(self, email: str) -> bool:
        """Return whether any of them has connected this mailbox."""


@dataclass(frozen=True, slots=True)
class OneSeller:
    """The page at home: the services are the same for everybody."""

    services: Services

    @property
    def sessions(self) -> SessionStore:
        return self.services.sessions

    def current(self) -> Services:
        return self.services

    def of_session(self, name: str) -> Services:  # noqa: ARG002 - as the protocol has it
        return self.services

    def of_token(self, secret: str) -> Services | None:  # noqa: ARG002 - as above
        return self.services

    def choices(self, email: str) -> Mapping[str, str]:  # noqa: ARG002 - as above
        return {}

    def admit(self, email: str, chosen: str = "") -> Services | None:  # noqa: ARG002 - as above
        return self.services

    def is_connected(self, email: str) -> bool:
        return any(account.email == email for account in self.services.app.accounts.all())


def waiting() -> int:
    """Return how many mails wait for a decision."""
    return len(services().app.review)


def services() -> Services:
    """Return what serves this request."""
    if "services" not in g:
        g.services = sellers().current()
    found: Services = g.services
    return found


def sellers() -> Sellers:
    """Return whose page the application is that serves this request."""
    found: Sellers = current_app.extensions[NAME]
    return found
