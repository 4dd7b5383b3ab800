"""Google's grant of access: its scopes, the reasons of refusals, and how to revoke it."""

from dataclasses import dataclass, field

from worker.errors import TransientError
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


def google_error_text(code: str, description: object) -> str:
    """Return Google's error text in one line of at most MAX_WORDS characters. code: such as ``org_internal``."""
    text = " ".join(f"{description} ({code})".split()) if description else code
    return "".join(it for it in text if it.isprintable())[:MAX_WORDS].rstrip(".")


def revoke(grant: Grant, revoke_url: str) -> None:
    """Revoke the grant at Google. A grant that has already ended is no error. Raises TransientError."""
    # Not in memory without a mailbox.
    from worker.gmail.connection import (  # noqa: PLC0415
        TIMEOUT,
        describe_network_error,
        is_page,
        open_session,
    )

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
