"""What Google granted: keeping it fresh, giving it back."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.auth.exceptions import TransportError
from google.oauth2.credentials import Credentials

from worker.errors import GmailError, SignInAgainError, TransientError
from worker.gmail.connection import TIMEOUT, describe_network_error, is_page, open_session
from worker.problems import Cause

SCOPES = (
    "https://www.googleapis.com/auth/gmail.modify",
    "https://www.googleapis.com/auth/gmail.settings.basic",
)

# What Google says in place of a token, at the sign-in and later: the error, or its subtype, which is more exact.
# RFC 6749, section 5.2; developers.google.com/identity/protocols/oauth2/web-server; support.google.com/a/answer/9368756
REASONS = {
    "invalid_grant": Cause.SIGN_IN_ENDED,
    "invalid_rapt": Cause.SIGN_IN_FOR_A_TIME,
    "rapt_required": Cause.SIGN_IN_FOR_A_TIME,
    "invalid_client": Cause.CLIENT_UNKNOWN,
    "deleted_client": Cause.CLIENT_DELETED,
    "disabled_client": Cause.CLIENT_DISABLED,
    "unauthorized_client": Cause.CLIENT_OF_WRONG_KIND,
    "invalid_scope": Cause.SCOPE_MISSING,
    "admin_policy_enforced": Cause.ADMIN_FORBIDS,
    "org_internal": Cause.FOR_MEMBERS_ONLY,
    "policy_enforced": Cause.ADVANCED_PROTECTION,
}
# They are put right elsewhere, and the sign-in is good again then.
_CURED_ELSEWHERE = {
    Cause.CLIENT_DISABLED,
    Cause.ADMIN_FORBIDS,
    Cause.FOR_MEMBERS_ONLY,
    Cause.ADVANCED_PROTECTION,
}
MAX_WORDS = 200  # characters of Google's that a person is shown


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


def googles_words(code: str, description: object) -> str:
    """Return what Google says, in one line that is not too long. code: of the error, such as ``org_internal``."""
    text = " ".join(f"{description} ({code})".split()) if description else code
    return "".join(it for it in text if it.isprintable())[:MAX_WORDS].rstrip(".")


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
