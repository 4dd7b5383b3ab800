"""Sign in at the stand-in for Google in the way the program does, without its page: for tests and benchmarks."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from oauth_web.access.client_file import read_client_file
from oauth_web.access.consent import consent_url, redeem
from oauth_web.demo.sandbox import Sandbox
from worker.gmail.credentials import Grant

REDIRECT = "http://127.0.0.1:9/oauth2/callback"


def sign_in(google: Sandbox, folder: Path, email: str) -> Grant:
    """Walk through the consent page, and return the grant. The client file is left in the folder."""
    path = folder / "client_secret.json"
    path.write_text(json.dumps(google.client_secrets("installed")), encoding="utf-8")
    client = read_client_file(path)
    url, verifier = consent_url(client, REDIRECT, state="state")
    answer = parse_qs(urlsplit(google.consent(url, email=email)).query)
    return redeem(client, REDIRECT, code=answer["code"][0], verifier=verifier)
