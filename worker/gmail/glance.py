"""A cheap look at a mailbox for hosts: one call without retries, with an access token that the caller keeps."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.oauth2.credentials import Credentials

from worker.clock import Clock
from worker.gmail.answers import checking_shape
from worker.gmail.api import api
from worker.gmail.connection import Connection
from worker.gmail.credentials import Grant
from worker.gmail.refresh import SharedCredentials
from worker.gmail.refusals import translating_errors
from worker.gmail.sessions import Sessions


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. until: when it expires."""

    text: str = field(repr=False)
    until: datetime


class Glances:
    """Looks at many mailboxes. Raises GmailError; SignInAgainError if the token or the grant is not accepted."""

    def __init__(self, gmail_url: str | None, clock: Clock, sessions: Sessions) -> None:
        self._api = api(gmail_url)
        self._clock = clock
        self._sessions = sessions

    def token(self, grant: Grant) -> Token:
        """Return a new access token."""
        credentials = SharedCredentials(grant)
        with translating_errors(self._clock.now()), self._sessions.borrow() as session:
            credentials.refresh(session.request_token)
        until = credentials.expiry.replace(tzinfo=UTC) if credentials.expiry else self._clock.now()
        return Token(str(credentials.token), until)

    def count(self, token: str, label_id: str) -> int:
        """Return how many messages carry the label, Trash and Spam included."""
        credentials = Credentials(token=token)  # type: ignore[no-untyped-call]  # google-auth is only partly typed
        request = self._api.labels.get(userId="me", id=label_id)
        with translating_errors(self._clock.now()), self._sessions.borrow() as session:
            label = request.execute(http=Connection(session, credentials))
        with checking_shape():
            return int(label.get("messagesTotal", 0))
