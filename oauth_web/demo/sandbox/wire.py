"""HTTP requests and replies as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qs, urlsplit

import orjson


class Transmit(Enum):
    """How a reply is sent."""

    WHOLE = "whole"
    CUT = "cut"  # close the connection without sending anything
    CUT_BODY = "cut_body"  # send the headers and half of the body, then close the connection


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. headers: names in lower case. path: percent-encoded."""

    verb: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, verb: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
        """Build a request from its verb and its target with the query."""
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        return cls(verb, parts.path, query, {name.lower(): value for name, value in headers.items()}, body)

    def form(self) -> dict[str, list[str]]:
        """Return the fields of a posted form, and the query parameters, like Google."""
        fields = dict(self.query)
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            fields |= parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return fields


@dataclass(frozen=True, slots=True)
class Reply:
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
