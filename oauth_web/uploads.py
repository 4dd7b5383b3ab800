"""Limit the size of request bodies by sender, after the headers and before the body is stored."""

from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Any

from flask import Flask
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer

from oauth_web.access.owners import Role
from oauth_web.access.sessions import OWNER
from oauth_web.connections import Channel
from oauth_web.services import NAME, Sellers

# Bytes. For strangers: less than the size at which the server stores a body on the disk.
MAX_STRANGERS = 256 * 1024
# With a token, right or wrong: enough for the largest request of the API.
MAX_WITH_TOKEN = 1024 * 1024


def limit_bodies(page: Flask, servers: Iterable[object]) -> None:
    """Make these servers reject bodies from others that only an owner may send."""
    parser = partial(_Request, is_owners=partial(_is_owners, page))
    for server in servers:
        if isinstance(server, BaseWSGIServer):
            server.channel_class = type("Limited", (Channel,), {"parser_class": parser})


class _Request(HTTPRequestParser):  # type: ignore[misc]  # waitress ships no types
    """A request whose limit depends on its headers. is_owners: whether a cookie belongs to an owner's session."""

    def __init__(self, adj: Any, *, is_owners: Callable[[str], bool]) -> None:
        super().__init__(adj)
        self.adj: Any = adj
        self._is_owners = is_owners

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        most = MAX_WITH_TOKEN if "AUTHORIZATION" in self.headers else MAX_STRANGERS
        if (self.chunked or self.content_length >= most) and not self._is_owners(
            self.headers.get("COOKIE", "")
        ):
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = most


def _is_owners(page: Flask, cookies: str) -> bool:
    sellers: Sellers = page.extensions[NAME]
    try:
        cookie = SimpleCookie(cookies).get(page.config["SESSION_COOKIE_NAME"])
    except CookieError:
        return False
    session = sellers.sessions.get(cookie.value) if cookie is not None else None
    if cookie is None or session is None or OWNER not in session:
        return False
    owner = sellers.of_session(cookie.value).owners.get(session[OWNER])
    return owner is not None and owner.role is Role.FULL
