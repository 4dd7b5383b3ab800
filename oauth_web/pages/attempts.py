"""Ways to Google: what a browser needs when it comes back from one, kept in its own session."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from flask import g, request

from oauth_web.access.consent import ConsentError
from oauth_web.guard import browser
from oauth_web.services import services
from oauth_web.texts.english import text

MAX_PENDING = 3  # visits to Google of one browser, in tabs side by side
MAX_AWAY = timedelta(minutes=10)
_PENDING = "at_google"


class NotLetInError(ConsentError):
    """We, or the user, said no. status: of the answer."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A way to Google, kept in the browser's session until it comes back.

    mailbox: whether Google is asked for the mailbox. account: the one that was to sign in again.
    """

    redirect_uri: str
    verifier: str
    since: str
    mailbox: bool
    account: str | None


def redirect_uri() -> str:
    """Return where Google sends the browser back to: the public address, or the one on this machine in use."""
    base = services().app.settings.public_url or f"{request.scheme}://{request.host}"
    return f"{base}/oauth2/callback"


def remember(state: str, verifier: str, account: str | None, *, mailbox: bool) -> None:
    """Keep in the browser's session what its way to Google needs when it comes back, of the last few such ways."""
    session = browser()
    kept = list(session.get(_PENDING, {}).items())[1 - MAX_PENDING :]
    attempt = Attempt(
        redirect_uri=redirect_uri(),
        verifier=verifier,
        since=services().app.clock.now().isoformat(),
        mailbox=mailbox,
        account=account,
    )
    session[_PENDING] = {**dict(kept), state: asdict(attempt)}


def recall(state: str) -> Attempt | None:
    """Return a way to Google, once; None if it is not known to a browser that is signed in. Raises NotLetInError."""
    session = browser()
    pending = dict(session.get(_PENDING, {}))
    found = pending.pop(state, None)
    session[_PENDING] = pending
    if found is None and g.owner is not None:
        return None
    attempt = Attempt(**found) if found is not None else None
    if attempt is None or services().app.clock.now() - datetime.fromisoformat(attempt.since) > MAX_AWAY:
        raise NotLetInError(text("sign_in.stale"), status=400)
    return attempt
