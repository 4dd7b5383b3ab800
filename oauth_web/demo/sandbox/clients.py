"""OAuth clients as created in Google's console, and their redirect URIs."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client. Desktop apps have a secret too."""

    id: str
    secret: str
    kind: Literal["installed", "web"]
    redirect_uris: tuple[str, ...]

    def allows(self, redirect_uri: str) -> bool:
        """Return whether Google allows this redirect URI.

        A Desktop app may use plain http on any port of the loopback address; a web client only the exact registered
        URIs.
        """
        if self.kind == "web":
            return redirect_uri in self.redirect_uris
        parts = urlsplit(redirect_uri)
        return parts.scheme == "http" and parts.hostname in _LOOPBACK

    def file(self, url: str) -> dict[str, object]:
        """Return the client file in Google's format, with the URLs of this sandbox."""
        return {
            self.kind: {
                "client_id": self.id,
                "project_id": "buyerblock-sandbox",
                "auth_uri": f"{url}/o/oauth2/v2/auth",
                "token_uri": f"{url}/token",
                "auth_provider_x509_cert_url": f"{url}/oauth2/v1/certs",
                "client_secret": self.secret,
                "redirect_uris": list(self.redirect_uris) or ["http://localhost"],
            }
        }


class Clients:
    """The clients of one Google Cloud project."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._lock = threading.Lock()

    def create(self, kind: Literal["installed", "web"], redirect_uris: Iterable[str] = ()) -> Client:
        with self._lock:
            number = len(self._clients) + 1
            client = Client(
                f"1234567890-{number:04d}.apps.googleusercontent.com",
                f"GOCSPX-sandbox-{number:04d}",
                kind,
                tuple(redirect_uris),
            )
            self._clients[client.id] = client
        return client

    def renew_secret(self, client_id: str) -> None:
        """Replace a client's secret, as in Google's console; the old one becomes invalid."""
        with self._lock:
            client = self._clients[client_id]
            self._clients[client_id] = replace(client, secret=f"{client.secret}-renewed")

    def get(self, client_id: str) -> Client | None:
        return self._clients.get(client_id)
