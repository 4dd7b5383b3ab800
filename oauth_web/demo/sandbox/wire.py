"""Requests and replies as values, apart from sockets and from what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qs, urlsplit

import orjson


class Transmit(Enum):
    """How a reply travels back."""

    WHOLE = "whole"
    CUT = "cut"  # the connection ends without a byte
    CUT_BODY = "cut_body"  # the head and half of the announced body, then the connection ends


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; ``headers`` has lower-case names, ``path`` is still percent-encoded."""

    verb: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, verb: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
        """Build a request from the parts of its first line."""
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        return cls(verb, parts.path, query, {name.lower(): value for name, value in headers.items()}, body)

    def form(self) -> dict[str, list[str]]:
        """Return the fields of a posted form; values sent in the address count too, as at Google."""
        fields = dict(self.query)
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            fields |= parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return fields


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    transmit: Transmit = Transmit.WHOLE


def json_reply(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status, orjson.dumps(value), headers=headers)


def html_reply(text: str, status: int = 200) -> Reply:
    return Reply(status, text.encode(), "text/html; charset=utf-8")


def redirect(location: str) -> Reply:
    return Reply(302, b"", "text/html; charset=utf-8", (("Location", location),))
