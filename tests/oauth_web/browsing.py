"""What a browser does that Flask's test client leaves to the test."""

import re
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oauth_web.services import NAME


def open_start_link(client: FlaskClient, *, base: str = "http://localhost:8000") -> FlaskClient:
    """Open the link for the first owner under a name of this machine, and return the browser."""
    link = client.application.extensions[NAME].services.start_link.show()
    assert client.get(urlsplit(link).path, base_url=base).status_code == 303
    return client


def csrf_token(client: FlaskClient, page: str = "/") -> str:
    """Return the token that the forms of a page carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert found is not None, f"no form on {page}"
    return found[1]


def post(client: FlaskClient, path: str, *, form_on: str = "/", **fields: Any) -> TestResponse:
    """Send a form as it stands on a page."""
    return client.post(path, data={"csrf_token": csrf_token(client, form_on), **fields})
