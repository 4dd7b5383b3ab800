"""What Google granted: keeping it fresh, giving it back."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.auth.exceptions import RefreshError, TransportError
from google.oauth2.credentials import Credentials

from worker.errors import TransientError
from worker.gmail.connection import TIMEOUT, describe_network_error, is_page, open_session
from worker.problems import Cause

SCOPES = (
    "https://www.googleapis.com/auth/gmail.modify",
    "https://www.googleapis.com/auth/gmail.settings.basic",
)

# What the token service says when a grant has ended (RFC 6749, section 5.2, and Google's own words).
# Any other answer may be a proxy's page, or a transient failure.
FINAL_ERRORS = frozenset(
    {
        "invalid_grant",
        "invalid_client",
        "unauthorized_client",
        "deleted_client",
        "disabled_client",
        "invalid_scope",
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One account's lasting permission, as it is sealed on disk. Everything in it is secret.

    lifetime: seconds from the sign-in until Google ends it by itself, as it does after seven days where the client
    is in status Testing; None for as long as nobody takes it back.
    """

    refresh_token: str = field(repr=False)
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    token_uri: str
    lifetime: int | None = None


class SharedCredentials(Credentials):
    """Google's credentials, refreshed by one thread at a time, and never again after a final refusal."""

    def __init__(self, grant: Grant) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # google-auth is only partly typed
            token=None,
            refresh_token=grant.refresh_token,
            token_uri=grant.token_uri,
            client_id=grant.client_id,
            client_secret=grant.client_secret,
        )
        self._refreshing = threading.Lock()
        self._refused: RefreshError | None = None

    def refresh(self, request: Any) -> None:
        stale = self.token
        with self._refreshing:
            if self._refused is not None:
                raise self._refused
            if self.token != stale:
                return
            try:
                super().refresh(_checked(request))  # type: ignore[no-untyped-call]
            except RefreshError as error:
                self._refused = error
                raise


def _checked(request: Any) -> Callable[..., Any]:
    """Let only answers through that are a token or a final refusal; the rest is a transient failure.

    On its own google-auth would sleep and retry, without a way to stop it, and take a proxy's page for a final refusal.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        response = request(*args, **kwargs)
        try:
            answer = json.loads(response.data)
            good = "access_token" in answer if response.status == 200 else answer["error"] in FINAL_ERRORS
        except (ValueError, LookupError, TypeError):
            good = False
        if not good:
            raise TransportError(  # type: ignore[no-untyped-call]
                f"the token service answered {response.status}"
            )
        return response

    return call


def revoke(grant: Grant, revoke_url: str) -> None:
    """Give the grant back to Google. A grant that has ended already is no error; raises TransientError."""
    try:
        with open_session() as session:
            answer = session.post(
                revoke_url, data={"token": grant.refresh_token}, timeout=TIMEOUT, allow_redirects=False
            )
    except OSError as error:
        raise TransientError(Cause.NOT_REVOKED_UNREACHABLE, why=describe_network_error(error)) from error
    # A network's own page, or one that it leads to, is no word of Google's.
    if is_page(answer) or answer.is_redirect or answer.status_code >= 500 or answer.status_code in {407, 429}:
        raise TransientError(Cause.NOT_REVOKED, status=answer.status_code)
