"""What the routes work with, made once for each Flask application."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from flask import current_app

from oauth_web.access.limits import RateLimit
from oauth_web.access.owners import Owners
from oauth_web.access.pending import Pending
from oauth_web.access.sessions import Sessions
from oauth_web.access.start_link import StartLink
from worker.app import App
from worker.notifications import Destinations
from worker.operation.health import Health
from worker.owner.tokens import Tokens
from worker.webhook import Webhook

NAME = "buyerblock"
HEALTH_KEPT_FOR = 5.0  # seconds


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
    """The engine, and what only the page knows: who may enter, who is inside, what is pending.

    pending_imports: files that were previewed. pending_grants: of mailboxes that somebody is asked about.
    restart: has the server restart in a moment.
    """

    app: App
    owners: Owners
    sessions: Sessions
    pending_imports: Pending
    pending_grants: Pending
    start_link: StartLink
    health: CachedHealth
    tokens: Tokens
    webhook: Webhook
    destinations: Destinations
    # Of strangers. Behind a proxy that does not tell them apart all share one.
    sign_in_limit: RateLimit
    token_limit: RateLimit
    restart: Callable[[], None]


def waiting() -> int:
    """Return how many mails wait for a decision."""
    return len(services().app.review)


def services() -> Services:
    """Return the services of the application that serves this request."""
    found: Services = current_app.extensions[NAME]
    return found
