"""Sign-in attempts: data that a browser needs when it comes back from Google, stored in its session."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from flask import g, request

from oauth_web.access.consent import ConsentError
from oauth_web.guard import browser
from oauth_web.services import services
from oauth_web.texts.english import text

MAX_ATTEMPTS = 3  # of one browser, in several tabs
MAX_AGE = timedelta(minutes=10)
_SESSION_KEY = "at_google"


class AccessDeniedError(ConsentError):
    """We or the user refused the sign-in. status: the HTTP status of the response."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A sign-in attempt.

    mailbox: whether it asks for access to the mailbox. account: the account that has to sign in again.
    """

    redirect_uri: str
    verifier: str
    since: str
    mailbox: bool
    account: str | None


def redirect_uri() -> str:
    """Return the URI to which Google redirects: at the public URL, or at the host of this request."""
    base = services().app.settings.public_url or f"{request.scheme}://{request.host}"
    return f"{base}/oauth2/callback"


def store_attempt(state: str, verifier: str, account: str | None, *, mailbox: bool) -> None:
    """Store an attempt in the browser's session, with the last few others."""
    session = browser()
    kept = list(session.get(_SESSION_KEY, {}).items())[1 - MAX_ATTEMPTS :]
    attempt = Attempt(
        redirect_uri=redirect_uri(),
        verifier=verifier,
        since=services().app.clock.now().isoformat(),
        mailbox=mailbox,
        account=account,
    )
    session[_SESSION_KEY] = {**dict(kept), state: asdict(attempt)}


def take_attempt(state: str) -> Attempt | None:
    """Remove and return an attempt; None if it is unknown and the browser is signed in. Raises AccessDeniedError."""
    session = browser()
    pending = dict(session.get(_SESSION_KEY, {}))
    found = pending.pop(state, None)
    session[_SESSION_KEY] = pending
    if found is None and g.owner is not None:
        return None
    attempt = Attempt(**found) if found is not None else None
    if attempt is None or services().app.clock.now() - datetime.fromisoformat(attempt.since) > MAX_AGE:
        raise AccessDeniedError(text("sign_in.stale"), status=400)
    return attempt
