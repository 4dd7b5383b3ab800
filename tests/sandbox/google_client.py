"""The real client libraries, pointed at a sandbox."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import google_auth_httplib2
import httplib2
from google.oauth2.credentials import Credentials
from google_auth_oauthlib.flow import Flow
from googleapiclient.discovery import build_from_document

from oauth_web.demo.sandbox import Sandbox

MODIFY = "https://www.googleapis.com/auth/gmail.modify"
SETTINGS = "https://www.googleapis.com/auth/gmail.settings.basic"
SCOPES = (MODIFY, SETTINGS)
SELLER = "seller@example.com"
CALLBACK = "http://127.0.0.1:8000/oauth2/callback"

# The library refuses plain http otherwise, loopback included, and takes an unticked scope for an error.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"


def flow_for(sandbox: Sandbox, scopes: tuple[str, ...] = SCOPES, **client: Any) -> Flow:
    flow = Flow.from_client_config(sandbox.client_secrets(**client), scopes=list(scopes))
    flow.redirect_uri = CALLBACK
    return flow


def sign_in(
    sandbox: Sandbox, scopes: tuple[str, ...] = SCOPES, *, untick: tuple[str, ...] = ()
) -> Credentials:
    """Walk through the whole sign-in and return the credentials."""
    flow = flow_for(sandbox, scopes)
    url, _ = flow.authorization_url(access_type="offline", prompt="consent")
    flow.fetch_token(authorization_response=sandbox.consent(url, email=SELLER, untick=untick))
    flow.oauth2session.close()
    assert isinstance(flow.credentials, Credentials)
    return flow.credentials


@contextmanager
def service_for(sandbox: Sandbox, credentials: Credentials) -> Iterator[Any]:
    """Build the Gmail client from the packaged description, its root replaced."""
    document = json.loads(
        files("googleapiclient.discovery_cache.documents").joinpath("gmail.v1.json").read_bytes()
    )
    document["rootUrl"] = sandbox.url + "/"
    http = google_auth_httplib2.AuthorizedHttp(credentials, http=httplib2.Http(timeout=5))
    service = build_from_document(document, http=http)
    try:
        yield service.users()
    finally:
        service.close()


def mail(
    subject: str = "Hello",
    body: str = "How are you?",
    *,
    sender: str = "Anna <anna@example.org>",
    to: str = SELLER,
    **headers: str,
) -> bytes:
    """Build a plain mail; other headers by name, with _ for -."""
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body + "\r\n").encode()


def ids(reply: dict[str, Any]) -> list[str]:
    return [message["id"] for message in reply.get("messages", [])]
