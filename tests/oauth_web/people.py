"""An invented seller, and the client file of the program that the seller runs."""

from pathlib import Path

import orjson

from oauth_web.access.start_link import StartLink
from oauth_web.demo.sandbox import Sandbox
from oauth_web.services import Services
from worker.gmail.credentials import Grant
from worker.settings import Settings

OWNER = "seller@gmail.com"
CLIENT = {
    "installed": {
        "client_id": "1234.apps.googleusercontent.com",
        "client_secret": "not-so-secret",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "redirect_uris": ["http://localhost"],
    }
}
GRANT = Grant("refresh", "client", "secret", "https://oauth2.googleapis.com/token")


def start_link(services: Services) -> StartLink:
    """Return the link for the first owner, which a page at home has."""
    assert services.start_link is not None
    return services.start_link


def settings_with(google: Sandbox, folder: Path) -> Settings:
    """Return the settings of a program that signs in at this Google."""
    path = folder / "client_secret.json"
    path.write_bytes(orjson.dumps(google.client_secrets()))
    return Settings(
        data_dir=folder / "data", client_secrets=path, gmail_url=google.url, revoke_url=google.revoke_url
    )
