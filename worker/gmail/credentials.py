"""Google's grant of access: store it, refresh its tokens, revoke it."""

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

# Errors of the token service, at the sign-in and later: the error, or its subtype, which is more exact.
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
# Fixed outside the program. After that the sign-in works again.
_SIGN_IN_STAYS_VALID = {
    Cause.CLIENT_DISABLED,
    Cause.ADMIN_FORBIDS,
    Cause.FOR_MEMBERS_ONLY,
    Cause.ADVANCED_PROTECTION,
}
MAX_WORDS = 200  # characters of Google's error text that are shown


@dataclass(frozen=True, slots=True)
class Grant:
    """One account's permission. It is encrypted on disk; everything in it is secret.

    lifetime: seconds from the sign-in until Google ends it: seven days if the client is in status Testing; None if it
    is valid until revoked.
    """

    refresh_token: str = field(repr=False)
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    token_uri: str
    lifetime: int | None = None


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


def google_error_text(code: str, description: object) -> str:
    """Return Google's error text in one line of at most MAX_WORDS characters. code: such as ``org_internal``."""
    text = " ".join(f"{description} ({code})".split()) if description else code
    return "".join(it for it in text if it.isprintable())[:MAX_WORDS].rstrip(".")


def revoke(grant: Grant, revoke_url: str) -> None:
    """Revoke the grant at Google. A grant that has already ended is no error. Raises TransientError."""
    try:
        with open_session() as session:
            answer = session.post(
                revoke_url, data={"token": grant.refresh_token}, timeout=TIMEOUT, allow_redirects=False
            )
    except OSError as error:
        raise TransientError(Cause.NOT_REVOKED_UNREACHABLE, why=describe_network_error(error)) from error
    # An HTML page or a redirect comes from the network, not from Google.
    if is_page(answer) or answer.is_redirect or answer.status_code >= 500 or answer.status_code in {407, 429}:
        raise TransientError(Cause.NOT_REVOKED, status=answer.status_code)
