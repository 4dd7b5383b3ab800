"""Gmail's API, built from the discovery document in Google's client library."""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

import httplib2
from googleapiclient.discovery import build_from_document


class Api:
    """The resources that are called. Building one takes longer than a call, so mailboxes share them."""

    def __init__(self, gmail_url: str | None) -> None:
        # The packaged document needs no download, and its root URL can be replaced.
        packaged = files("googleapiclient.discovery_cache.documents").joinpath("gmail.v1.json")
        document = json.loads(packaged.read_bytes())
        if gmail_url:
            document["rootUrl"] = gmail_url + "/"
        # Not used for calls; without it the library would search for default credentials.
        self.users: Any = build_from_document(document, http=httplib2.Http()).users()
        self.labels: Any = self.users.labels()
        self.messages: Any = self.users.messages()
        self.threads: Any = self.users.threads()
        settings = self.users.settings()
        self.filters: Any = settings.filters()
        self.forwarding: Any = settings.forwardingAddresses()
        self.send_as: Any = settings.sendAs()


@lru_cache(maxsize=1)
def api(gmail_url: str | None) -> Api:
    """Return the API at an address. None: Google's own address."""
    return Api(gmail_url)
