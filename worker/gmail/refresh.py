"""Refresh access tokens."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from google.auth.exceptions import TransportError
from google.oauth2.credentials import Credentials

from worker.errors import GmailError, SignInAgainError, TransientError
from worker.gmail.credentials import REASONS, Grant, google_error_text
from worker.problems import Cause

# Fixed outside the program. After that the sign-in works again.
_SIGN_IN_STAYS_VALID = {
    Cause.CLIENT_DISABLED,
    Cause.ADMIN_FORBIDS,
    Cause.FOR_MEMBERS_ONLY,
    Cause.ADVANCED_PROTECTION,
}


class SharedCredentials(Credentials):
    """Google's credentials. One thread at a time refreshes them; after a final refusal no thread tries again."""

    def __init__(self, grant: Grant) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # google-auth is only partly typed
            token=None,
            refresh_token=grant.refresh_token,
            token_uri=grant.token_uri,
            client_id=grant.client_id,
            client_secret=grant.client_secret,
        )
        self._refreshing = threading.Lock()
        self._refused: SignInAgainError | None = None

    def refresh(self, request: Any) -> None:
        stale = self.token
        with self._refreshing:
            if self._refused is not None:
                raise self._refused
            if self.token != stale:
                return
            try:
                super().refresh(_raising_refusals(request))  # type: ignore[no-untyped-call]
            except SignInAgainError as error:
                self._refused = error
                raise


def _raising_refusals(request: Any) -> Callable[..., Any]:
    """Return only responses with a token; raise Google's refusal, or a transient error for any other response.

    google-auth itself would sleep and retry without a way to stop it, treat a proxy's page as a final refusal, and
    lose Google's reasons.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        response = request(*args, **kwargs)
        try:
            answer = json.loads(response.data)
        except ValueError:
            answer = None
        given = answer if isinstance(answer, dict) else {}
        if response.status == 200 and "access_token" in given:
            return response
        if response.status < 500 and isinstance(given.get("error"), str):
            raise _refusal(given)
        raise TransportError(  # type: ignore[no-untyped-call]
            f"the token service answered {response.status}"
        )

    return call


def _refusal(answer: Mapping[str, Any]) -> GmailError:
    code, words = answer["error"], google_error_text(answer["error"], answer.get("error_description"))
    cause = REASONS.get(str(answer.get("error_subtype"))) or REASONS.get(code)
    if cause is None:
        return TransientError(Cause.NOT_RENEWED, words=words)
    kind = GmailError if cause in _SIGN_IN_STAYS_VALID else SignInAgainError
    return kind(cause, words=words)
