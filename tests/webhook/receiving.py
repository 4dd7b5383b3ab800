"""The other side of a webhook, and a clock that a test moves."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet

URL = "https://shop.example/hook"
ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
ORDER = "406-1234508-7654301"
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
KEY = Fernet.generate_key().decode()


def alias(number: int) -> str:
    return f"buyer{number:05}@marketplace.amazon.it"


class Receiver:
    """The other side. It takes messages unless a test says otherwise, and remembers all that came."""

    def __init__(self) -> None:
        self.problem = ""
        self.tries = 0
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.urls: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> str:
        assert not allow_private
        self.tries += 1
        self.meanwhile()
        if not self.problem:
            self.urls.append(url)
            self.ids.append(headers["webhook-id"])
            self.taken.append(json.loads(body))
        return self.problem

    @property
    def events(self) -> list[tuple[str, str]]:
        found = [event for message in self.taken for event in message["data"].get("events", [])]
        return [(event["type"], event["key"]) for event in found]


class Now:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, **span: float) -> None:
        self.moment += timedelta(**span)
