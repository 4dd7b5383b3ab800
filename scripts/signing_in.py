"""Sign a program in at the stand-in for Google, as its page does: for tests and benchmarks."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from oauth_web.access.client_file import read_client_file
from oauth_web.access.consent import consent_url, redeem
from oauth_web.demo.sandbox import Sandbox
from worker.gmail.credentials import Grant
from worker.settings import Settings

REDIRECT = "http://127.0.0.1:9/oauth2/callback"


def settings_at(google: Sandbox, folder: Path, **others: Any) -> Settings:
    """Return the settings of a program with this data directory; ``sign_in`` writes the client file to it."""
    return Settings(
        data_dir=folder,
        client_secrets=folder / "client_secret.json",
        gmail_url=google.url,
        revoke_url=google.revoke_url,
        **{"secret_key": "k" * 32, **others},
    )


def sign_in(google: Sandbox, folder: Path, email: str) -> Grant:
    """Give consent, and return the grant. Writes the client file to the folder."""
    path = folder / "client_secret.json"
    path.write_text(json.dumps(google.client_secrets("installed")), encoding="utf-8")
    client = read_client_file(path)
    url, verifier = consent_url(client, REDIRECT, state="state")
    answer = parse_qs(urlsplit(google.consent(url, email=email)).query)
    return redeem(client, REDIRECT, code=answer["code"][0], verifier=verifier)
