"""A glance at a mailbox: one call, one try, by an access token that is kept from one glance to the next."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.oauth2.credentials import Credentials

from worker.clock import Clock
from worker.gmail.answers import understood
from worker.gmail.api import api
from worker.gmail.connection import Connection
from worker.gmail.credentials import Grant
from worker.gmail.refusals import translated
from worker.gmail.renewing import SharedCredentials
from worker.gmail.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. until: when it ends."""

    text: str = field(repr=False)
    until: datetime


class Glances:
    """Looks into many mailboxes. Raises GmailError; SignInAgainError where the token, or the grant, is not accepted."""

    def __init__(self, gmail_url: str | None, clock: Clock, sessions: Sessions) -> None:
        self._api = api(gmail_url)
        self._clock = clock
        self._sessions = sessions

    def token(self, grant: Grant) -> Token:
        """Return a new access token."""
        credentials = SharedCredentials(grant)
        with translated(self._clock.now()), self._sessions.lent() as session:
            credentials.refresh(session.renew)
        until = credentials.expiry.replace(tzinfo=UTC) if credentials.expiry else self._clock.now()
        return Token(str(credentials.token), until)

    def count(self, token: str, label_id: str) -> int:
        """Return how many messages carry the label, Trash and Spam included."""
        credentials = Credentials(token=token)  # type: ignore[no-untyped-call]  # google-auth is only partly typed
        request = self._api.labels.get(userId="me", id=label_id)
        with translated(self._clock.now()), self._sessions.lent() as session:
            label = request.execute(http=Connection(session, credentials))
        with understood():
            return int(label.get("messagesTotal", 0))
