"""What Google granted, why it refuses, and giving a grant back."""

from dataclasses import dataclass, field

from worker.errors import TransientError
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


def googles_words(code: str, description: object) -> str:
    """Return what Google says, in one line that is not too long. code: of the error, such as ``org_internal``."""
    text = " ".join(f"{description} ({code})".split()) if description else code
    return "".join(it for it in text if it.isprintable())[:MAX_WORDS].rstrip(".")


def revoke(grant: Grant, revoke_url: str) -> None:
    """Give the grant back to Google. A grant that has ended already is no error; raises TransientError."""
    # A program without a mailbox needs no library of HTTP in memory.
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
    # A network's own page, or one that it leads to, is no word of Google's.
    if is_page(answer) or answer.is_redirect or answer.status_code >= 500 or answer.status_code in {407, 429}:
        raise TransientError(Cause.NOT_REVOKED, status=answer.status_code)
