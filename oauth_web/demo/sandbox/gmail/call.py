"""One checked API call."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oauth_web.demo.sandbox.mailbox import Mailbox
from oauth_web.demo.sandbox.refusals import invalid
from oauth_web.demo.sandbox.search import Query, QueryError, compile_query
from oauth_web.demo.sandbox.stored import Stored

MAX_PAGE = 500
_USUAL_PAGE = 100


@dataclass(frozen=True, slots=True)
class Call:
    """A checked call. path: decoded values. now: in epoch seconds."""

    mailbox: Mailbox
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: Mapping[str, Any]
    now: float

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[-1]

    def flag(self, name: str) -> bool:
        return self.one(name) == "true"

    def page_size(self) -> int:
        """Return the number of results on a page; Google limits larger values."""
        size = int(self.one("maxResults", str(_USUAL_PAGE)))
        return min(size or _USUAL_PAGE, MAX_PAGE)

    def search(self) -> Query | None:
        """Return the compiled ``q``, or None."""
        if not (text := self.one("q").strip()):
            return None
        try:
            return compile_query(text, self.now)
        except QueryError as error:
            raise invalid(f"Invalid query: {error}") from error

    def page_start(self) -> tuple[int, str] | None:
        """Return the cursor in the page token; the page starts after it."""
        if not (token := self.one("pageToken")):
            return None
        try:
            moment, _, message_id = base64.urlsafe_b64decode(token).decode().partition(":")
            return int(moment), message_id
        except (binascii.Error, ValueError):
            raise invalid("Invalid pageToken") from None


def page_token(last: Stored) -> str:
    """Return a token for the page after ``last``.

    Gmail's behaviour after a change of the mailbox is unknown; this token is a cursor, so that no message is skipped or
    repeated.
    """
    return base64.urlsafe_b64encode(f"{last.received_ms}:{last.id}".encode()).decode()
