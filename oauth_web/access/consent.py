"""Ask Google for the user's consent, and exchange the code for a grant.

Only this module uses google-auth-oauthlib, and works around its problems: no default timeout, no error for a missing
refresh token, an unticked scope raises a ``Warning``, tokens are logged at debug level.
"""

import base64
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from oauth_web.access.client_file import Client
from worker.errors import BuyerblockError
from worker.gmail.credentials import REASONS, SCOPES, Grant, google_error_text
from worker.sentences import Sentence

if TYPE_CHECKING:
    import requests
    from google_auth_oauthlib.flow import Flow

_T = TypeVar("_T")

# Scopes for the identity only. Google does not require a verified client for these.
_IDENTITY_SCOPES = ("openid", "email")
_ISSUERS = ("https://accounts.google.com", "accounts.google.com")

TIMEOUT = 20  # seconds, for the exchange of the code
MAX_SIZE = 64_000  # bytes of the token response; real ones have about 2,000

logging.getLogger("requests_oauthlib").setLevel(logging.INFO)
logging.getLogger("oauthlib").setLevel(logging.INFO)


class ConsentError(BuyerblockError):
    """Google gave no usable permission; a new sign-in may help."""


class UntickedError(ConsentError):
    """The user left a box unticked. missing: the scopes that were not granted."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__("Google did not grant everything that is needed; please tick every box.")
        self.missing = missing


def consent_url(
    client: Client, redirect_uri: str, *, state: str, hint: str | None = None, mailbox: bool = True
) -> tuple[str, str]:
    """Return the URL of Google's consent page, and the PKCE verifier for the exchange of the code.

    hint: the account to offer first. mailbox: ask for access to the mailbox, not only for the identity.
    """
    flow = _flow(client, redirect_uri, scopes=SCOPES if mailbox else _IDENTITY_SCOPES)
    extra = {"login_hint": hint} if hint else {}
    # Without prompt=consent Google sends a refresh token only at the first sign-in.
    prompt = {"access_type": "offline", "prompt": "consent"} if mailbox else {"prompt": "select_account"}
    with _allow_loopback_http(client.auth_uri):
        url, _ = flow.authorization_url(state=state, **prompt, **extra)
    return url, flow.code_verifier


def redeem(client: Client, redirect_uri: str, *, code: str, verifier: str) -> Grant:
    """Exchange the code for a grant with a refresh token. Raises ConsentError with one sentence for the user."""
    return _exchange(client, redirect_uri, code, verifier, _grant)


def identify(client: Client, redirect_uri: str, *, code: str, verifier: str) -> str:
    """Exchange the code for the lower-case address of the account; keep no token. Raises ConsentError."""
    return _exchange(client, redirect_uri, code, verifier, _address)


def _exchange(
    client: Client, redirect_uri: str, code: str, verifier: str, read: Callable[[Client, dict[str, Any]], _T]
) -> _T:
    # Imported here to save memory: only a sign-in needs these libraries, and most processes never see one.
    from oauthlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]  # noqa: PLC0415 - it ships no types
    from requests.exceptions import InvalidJSONError  # noqa: PLC0415

    from worker.gmail.connection import describe_network_error, prepare  # noqa: PLC0415

    # Without scopes, oauthlib raises no Warning for unticked scopes; the token lists the granted ones.
    flow = _flow(client, redirect_uri, scopes=None, code_verifier=verifier)
    flow.oauth2session.register_compliance_hook("access_token_response", _check_response)
    prepare(flow.oauth2session, max_size=MAX_SIZE)
    flow.oauth2session.max_redirects = 0
    try:
        with flow.oauth2session, _allow_loopback_http(client.token_uri):
            return read(client, flow.fetch_token(code=code, timeout=TIMEOUT))
    except OAuth2Error as error:
        raise refusal_error(str(error.error), error.description) from error
    except InvalidJSONError as error:
        raise ConsentError("Google's answer to the sign-in was garbled; please try again.") from error
    except OSError as error:
        raise ConsentError(
            "Google could not be reached to finish the sign-in ({why}); please try again.",
            why=describe_network_error(error),
        ) from error
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise ConsentError("Google's answer to the sign-in was garbled; please try again.") from error


# Errors with another sentence during a sign-in.
_REFUSALS = {
    "invalid_grant": Sentence(
        "Google no longer knows this sign-in; it was used already or took too long. Please start again."
    ),
    "redirect_uri_mismatch": Sentence(
        "Google does not know this page's address; add it under “Authorized redirect URIs” of the client in Google's "
        "console."
    ),
}


def refusal_error(code: str, description: object = "") -> ConsentError:
    """Return the error for a refusal by Google. For an unknown code it shows Google's text."""
    if code in _REFUSALS:
        return ConsentError(_REFUSALS[code].template)
    if cause := REASONS.get(code):
        return ConsentError(cause.value)
    return ConsentError(
        "Google refused the sign-in; it says: {words}. Please try again.",
        words=google_error_text(code, description),
    )


def _flow(client: Client, redirect_uri: str, **options: Any) -> "Flow":
    from google_auth_oauthlib.flow import Flow  # noqa: PLC0415 - as above

    config = {
        client.kind: {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "auth_uri": client.auth_uri,
            "token_uri": client.token_uri,
        }
    }
    return Flow.from_client_config(config, redirect_uri=redirect_uri, **options)


def _check_response(response: "requests.Response") -> "requests.Response":
    """Raise an error for a response that oauthlib would misread: a server's error page, or JSON that is no object."""
    if response.status_code >= 500:
        response.raise_for_status()
    if not isinstance(response.json(), dict):
        raise TypeError("no JSON object")
    return response


def _grant(client: Client, token: dict[str, Any]) -> Grant:
    # RFC 6749, section 5.1: a missing scope means that all was granted.
    granted = set(token.get("scope") or SCOPES)
    if missing := tuple(scope for scope in SCOPES if scope not in granted):
        raise UntickedError(missing)
    refresh_token = token.get("refresh_token")
    if not isinstance(refresh_token, str) or not refresh_token:
        raise ConsentError(
            "Google granted access for an hour only; remove buyerblock at myaccount.google.com/connections, "
            "then sign in again."
        )
    return Grant(
        refresh_token=refresh_token,
        client_id=client.client_id,
        client_secret=client.client_secret,
        token_uri=client.token_uri,
        lifetime=_lifetime(token),
    )


def _address(client: Client, token: dict[str, Any]) -> str:
    """Return the address in Google's ID token. Its signature is not checked: it came from Google by TLS.

    OpenID Connect Core, section 3.1.3.7; developers.google.com/identity/openid-connect/openid-connect
    """
    part = str(token["id_token"]).split(".")[1]
    claims = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    ours = claims["aud"] == client.client_id and claims["iss"] in _ISSUERS
    if not ours or claims["email_verified"] is not True:
        raise ConsentError("Google does not vouch for the address of this account; sign in with another one.")
    return str(claims["email"]).lower()


def _lifetime(token: dict[str, Any]) -> int | None:
    """Return the seconds until the refresh token expires, None if it does not.

    Google documents the field for users who grant access for a limited time. Clients in status Testing get it too, with
    seven days.
    """
    lifetime = token.get("refresh_token_expires_in")
    return lifetime if type(lifetime) is int and lifetime > 0 else None


_environment_lock = threading.Lock()


@contextmanager
def _allow_loopback_http(uri: str) -> Iterator[None]:
    """Allow oauthlib to use http for this step if the URI is http; ``client_file.py`` ensured that it is loopback.

    oauthlib can only be configured by an environment variable, so it is set temporarily.
    """
    if uri.startswith("https://"):
        yield
        return
    with _environment_lock:
        before = os.environ.get("OAUTHLIB_INSECURE_TRANSPORT")
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ["OAUTHLIB_INSECURE_TRANSPORT"]
            else:
                os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = before
