"""The services that routes use, for one seller, and the choice of the seller for a request."""

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
    """The health, cached for some seconds: each check writes to the disk, and anybody may request it."""

    def __init__(self, look: Callable[[], Health], monotonic: Callable[[], float]) -> None:
        self._look = look
        self._monotonic = monotonic
        self._lock = Lock()
        self._cached: tuple[float, Health] | None = None

    def get(self) -> Health:
        """Return the health, at most HEALTH_KEPT_FOR old."""
        with self._lock:
            if self._cached is None or self._monotonic() - self._cached[0] >= HEALTH_KEPT_FOR:
                self._cached = (self._monotonic(), self._look())
            return self._cached[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The engine of one seller, and the services of the page: owners, sessions, pending forms, limits.

    session_prefix: of the names of this seller's sessions. pending_imports: previewed files. pending_grants: grants of
    mailboxes that wait for a person's answer, and of new people who must choose a list. start_link: for the first
    owner; None on a host, where everybody may try to sign in. back_up: writes a backup of this seller to a file, with a
    passphrase or None; raises the errors of ``backup.py``. restart: restarts the server soon.
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
    # By visitor. Behind a proxy without X-Forwarded-For all visitors share one.
    sign_in_limit: Limit
    token_limit: Limit
    # By token.
    api_limit: Limit
    download_limit: Limit
    back_up: BackUp
    restart: Callable[[], None]


class Sellers(Protocol):
    """The sellers of the page: one at home, many on a host."""

    @property
    def sessions(self) -> SessionStore:
        """The sessions of all sellers."""

    def current(self) -> Services:
        """Return the services for this request, by its session."""

    def of_session(self, name: str) -> Services:
        """Return the services for an owner's session."""

    def of_token(self, secret: str) -> Services | None:
        """Return the services for a token; None for an unknown one."""

    def choices(self, email: str) -> Mapping[str, str]:
        """Return the sellers among whom this account must choose, with who invited it; empty if there is no choice.

        Its own address means its own list. The value is "" if no invitation is needed, or it has entered before.
        """

    def admit(self, email: str, chosen: str = "") -> Services | None:
        """Return the services for a Google account that signs in; None if it may use no list here.

        chosen: one of its choices.
        """

    def is_connected(self, email: str) -> bool:
        """Return whether any seller has connected this mailbox."""


@dataclass(frozen=True, slots=True)
class OneSeller:
    """The page at home: the services are the same for everybody."""

    services: Services

    @property
    def sessions(self) -> SessionStore:
        return self.services.sessions

    def current(self) -> Services:
        return self.services

    def of_session(self, name: str) -> Services:  # noqa: ARG002 - required by the protocol
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
    """Return the number of mails that wait for a decision."""
    return len(services().app.review)


def services() -> Services:
    """Return the services for this request."""
    if "services" not in g:
        g.services = sellers().current()
    found: Services = g.services
    return found


def sellers() -> Sellers:
    found: Sellers = current_app.extensions[NAME]
    return found
