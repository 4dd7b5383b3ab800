"""Keeping what Google granted fresh."""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from google.auth.exceptions import TransportError
from google.oauth2.credentials import Credentials

from worker.errors import GmailError, SignInAgainError, TransientError
from worker.gmail.credentials import REASONS, Grant, googles_words
from worker.problems import Cause

# They are put right elsewhere, and the sign-in is good again then.
_CURED_ELSEWHERE = {
    Cause.CLIENT_DISABLED,
    Cause.ADMIN_FORBIDS,
    Cause.FOR_MEMBERS_ONLY,
    Cause.ADVANCED_PROTECTION,
}


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
        self._refused: SignInAgainError | None = None

    def refresh(self, request: Any) -> None:
        stale = self.token
        with self._refreshing:
            if self._refused is not None:
                raise self._refused
            if self.token != stale:
                return
            try:
                super().refresh(_checked(request))  # type: ignore[no-untyped-call]
            except SignInAgainError as error:
                self._refused = error
                raise


def _checked(request: Any) -> Callable[..., Any]:
    """Let only tokens through; raise what Google says in their place, and a transient failure for anything else.

    On its own google-auth would sleep and retry, without a way to stop it, take a proxy's page for a final refusal, and
    keep nothing of Google's reasons.
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
    code, words = answer["error"], googles_words(answer["error"], answer.get("error_description"))
    cause = REASONS.get(str(answer.get("error_subtype"))) or REASONS.get(code)
    if cause is None:
        return TransientError(Cause.NOT_RENEWED, words=words)
    kind = GmailError if cause in _CURED_ELSEWHERE else SignInAgainError
    return kind(cause, words=words)
