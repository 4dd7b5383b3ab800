"""What the routes work with, made once for each Flask application."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app

from oauth_web.access.attempts import Attempts
from oauth_web.access.entry_code import EntryCode
from oauth_web.access.limits import Limit
from oauth_web.access.owners import Owners
from oauth_web.access.sessions import Sessions
from oauth_web.pages.drafts import Drafts
from oauth_web.pages.glance import Glance
from worker.app import App
from worker.owner.tokens import Tokens
from worker.webhook import Webhook

NAME = "buyerblock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The engine, and what only the page knows: who may enter, who is inside, who is on the way to Google.

    restart: has the server start anew in a moment.
    """

    app: App
    owners: Owners
    sessions: Sessions
    attempts: Attempts
    drafts: Drafts
    entry_code: EntryCode
    glance: Glance
    tokens: Tokens
    webhook: Webhook
    sign_ins: Limit
    code_tries: Limit
    restart: Callable[[], None]


def make_limits(app: App) -> dict[str, Limit]:
    """Return the limits for strangers. Behind a proxy that does not tell them apart all share them."""
    window = timedelta(minutes=10)
    return {
        "sign_ins": Limit(60, window, app.clock.now),
        "code_tries": Limit(20, window, app.clock.now),
    }


def waiting() -> int:
    """Return how many mails wait for a decision."""
    return len(services().app.review)


def services() -> Services:
    """Return the services of the application that serves this request."""
    found: Services = current_app.extensions[NAME]
    return found
