"""Gmail's interface, made from the description that Google's client library brings along."""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

import httplib2
from googleapiclient.discovery import build_from_document


class Api:
    """The parts of the interface that are called. Each takes longer to make than a call, so mailboxes share them."""

    def __init__(self, gmail_url: str | None) -> None:
        # The packaged description, not a downloaded one: no request, and its root can be replaced, batches included.
        packaged = files("googleapiclient.discovery_cache.documents").joinpath("gmail.v1.json")
        document = json.loads(packaged.read_bytes())
        if gmail_url:
            document["rootUrl"] = gmail_url + "/"
        # Calls go by another connection; without this one the library would look for credentials of its own.
        self.users: Any = build_from_document(document, http=httplib2.Http()).users()
        self.labels: Any = self.users.labels()
        self.messages: Any = self.users.messages()
        self.threads: Any = self.users.threads()
        settings = self.users.settings()
        self.filters: Any = settings.filters()
        self.forwarding: Any = settings.forwardingAddresses()
        self.send_as: Any = settings.sendAs()


@lru_cache(maxsize=1)  # the program knows one Gmail
def api(gmail_url: str | None) -> Api:
    """Return Gmail's interface at an address, None for its own."""
    return Api(gmail_url)
