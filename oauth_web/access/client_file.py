"""The OAuth client file from Google's console, which identifies this program to Google."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from worker.errors import SettingsError
from worker.parsing import is_loopback
from worker.sentences import Sentence

MAX_SIZE = 64_000  # bytes; real files have about 500

# All hosts in client files from Google, old and new. Exact names only: other hosts of google.com serve content of
# users.
_GOOGLE = {"accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com"}

# Google shows a client secret only once, when it is created, so a file downloaded later does not contain it.
_WHERE = Sentence(
    "create a client in Google's console, under Clients, and download its JSON file before you close that window"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An OAuth client.

    kind: ``installed`` is Google's “Desktop app”, ``web`` a “Web application”. redirect_uris: those in the file; a
    Desktop app may also use any port on loopback.
    """

    kind: Literal["installed", "web"]
    client_id: str
    client_secret: str = field(repr=False)
    auth_uri: str
    token_uri: str
    redirect_uris: tuple[str, ...] = ()


def read_client_file(path: Path) -> Client:
    """Return the client of a file. Raises SettingsError with one sentence about the problem."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except FileNotFoundError as error:
        raise SettingsError(
            "There is no OAuth client file at {path} yet; {where}, then put it there.",
            path=path,
            where=_WHERE,
        ) from error
    except OSError as error:
        raise SettingsError(
            "The OAuth client file {path} cannot be read: {why}.",
            path=path,
            why=error.strerror or type(error).__name__,
        ) from error
    return parse_client(content, name=str(path))


def parse_client(content: bytes, *, name: str) -> Client:
    """Return the client of a file's content. name: of the file, for the sentence of the SettingsError."""
    if len(content) > MAX_SIZE:
        raise SettingsError("{name} is too large for an OAuth client file; {where}.", name=name, where=_WHERE)
    try:
        document = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise SettingsError(
            "{name} is not JSON, so it is no OAuth client file; {where}.", name=name, where=_WHERE
        ) from error
    if not isinstance(document, dict):
        raise SettingsError("{name} is no OAuth client file; {where}.", name=name, where=_WHERE)
    if document.get("type") in {"service_account", "authorized_user"}:
        raise SettingsError(
            "{name} is the key of a {kind}, not an OAuth client file; create a "
            "client in Google's console, under Clients, of the type “Desktop app”.",
            name=name,
            kind=str(document["type"]).replace("_", " "),
        )
    for kind in ("installed", "web"):
        if isinstance(document.get(kind), dict):
            return _client(kind, document[kind], name)
    raise SettingsError(
        "{name} is no OAuth client file: it has neither an “installed” nor a “web” part; {where}.",
        name=name,
        where=_WHERE,
    )


def check_google(client: Client) -> None:
    """Raise SettingsError unless the sign-in goes to Google or to this machine.

    For uploaded files: an attacker may have given one to the seller, and the server at token_uri gets the mailbox.
    """
    for key, address in (("auth_uri", client.auth_uri), ("token_uri", client.token_uri)):
        host = urlsplit(address).hostname
        if host not in _GOOGLE and not is_loopback(host):
            raise SettingsError(
                "“{key}” in this file leads to {host}, not to Google, who alone may have your sign-in; {where}.",
                key=key,
                host=host,
                where=_WHERE,
            )


def check_redirect(client: Client, redirect_uri: str) -> None:
    """Raise SettingsError if Google would refuse to send the browser back to this address."""
    parts = urlsplit(redirect_uri)
    if client.kind == "installed" and not is_loopback(parts.hostname):
        raise SettingsError(
            "This client is of the type “Desktop app”, which works on one's own machine only; for "
            "{address} create one of the type “Web application”.",
            address=f"{parts.scheme}://{parts.netloc}",
        )
    if client.kind == "web" and redirect_uri not in client.redirect_uris:
        raise SettingsError(
            "This client of the type “Web application” does not list {redirect_uri} under “Authorized redirect "
            "URIs”; create another client that does, and download its JSON file before you close that window.",
            redirect_uri=redirect_uri,
        )


def _client(kind: Literal["installed", "web"], part: Mapping[str, Any], name: str) -> Client:
    texts = {}
    for key in ("client_id", "client_secret", "auth_uri", "token_uri"):
        if not isinstance(part.get(key), str) or not part[key]:
            raise SettingsError(
                "{name} is no complete OAuth client file: “{key}” is missing; {where}.",
                name=name,
                key=key,
                where=_WHERE,
            )
        texts[key] = part[key]
    for key in ("auth_uri", "token_uri"):
        if not _is_https_or_loopback(texts[key]):
            raise SettingsError(
                "“{key}” in {name} is no https address; the sign-in would not be safe; {where}.",
                key=key,
                name=name,
                where=_WHERE,
            )
    uris = part.get("redirect_uris")
    listed = tuple(uri for uri in uris if isinstance(uri, str)) if isinstance(uris, list) else ()
    return Client(kind=kind, **texts, redirect_uris=listed)


def _is_https_or_loopback(address: str) -> bool:
    """Return whether nobody can read the traffic: https, or http to this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
