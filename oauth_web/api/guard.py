"""Access control of the API: by a token and its scope, or by an owner's session."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from flask import Flask, g, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden

from oauth_web.access.owners import Role
from oauth_web.access.sessions import OWNER
from oauth_web.api.problems import problem
from oauth_web.guard import bearer_token, is_open
from oauth_web.services import services

MAX_PER_MINUTE = 600
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")

_Route = TypeVar("_Route", bound=Callable[..., ResponseReturnValue])
_read_only_posts: set[str] = set()


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request. id: the key for rate limits. by: the name in the audit trail."""

    id: str
    by: str
    may_write: bool


def read_only(route: _Route) -> _Route:
    """Mark a POST that changes nothing, so that the scope ``read`` is enough. Other POSTs need ``write``."""
    _read_only_posts.add(f"{route.__module__.rpartition('.')[2]}.{route.__name__}")
    return route


def protect(api: Flask, csrf: CSRFProtect) -> None:
    """Reject every request without a token or an owner's session, even for unknown paths."""

    @api.before_request
    def admit() -> ResponseReturnValue | None:
        if is_open(request.endpoint):
            return None
        caller = _by_token() if "Authorization" in request.headers else _by_session(csrf)
        if caller is None:
            return _unauthorized()
        if wait := services().api_limit.wait(caller.id):
            return _too_many_requests(wait)
        if _changes_the_list() and not caller.may_write:
            return _forbidden()
        g.caller = caller
        return None


def by_caller() -> str:
    """Return the author of a change, for the audit trail."""
    caller: Caller = g.caller
    return caller.by


def _changes_the_list() -> bool:
    # An unknown path has no endpoint; it gets 404 with any token.
    return bool(request.endpoint) and request.method in _CHANGING and request.endpoint not in _read_only_posts


def _by_token() -> Caller | None:
    token = bearer_token()
    if token is None:
        return None
    if token.scope == "download":
        raise Forbidden("This token is good for downloads by an address that holds it, and for nothing else.")
    return Caller(f"token {token.name}", f"token {token.name!r}, by the API", token.scope == "write")


def _by_session(csrf: CSRFProtect) -> Caller | None:
    # Checked for each request: a removed owner loses access at once.
    owner = services().owners.get(session.get(OWNER, ""))
    if owner is None:
        return None
    csrf.protect()  # a browser also sends its cookie with requests from other sites
    return Caller(f"owner {owner.email}", f"{owner.email}, by the API", owner.role is Role.FULL)


def _unauthorized() -> ResponseReturnValue:
    error = ', error="invalid_token"' if "Authorization" in request.headers else ""
    return problem(
        401,
        "Show a token that is in force, in a header such as: Authorization: Bearer buyerblock_...",
        {"WWW-Authenticate": f'Bearer realm="buyerblock"{error}'},
    )


def _forbidden() -> ResponseReturnValue:
    return problem(
        403,
        "This token, or this person, may only read; changing the list takes a token with the scope write.",
        {"WWW-Authenticate": 'Bearer realm="buyerblock", error="insufficient_scope", scope="write"'},
    )


def _too_many_requests(wait: float) -> ResponseReturnValue:
    seconds = ceil(wait)
    return problem(
        429,
        f"More than {MAX_PER_MINUTE} requests a minute with one token; ask for many keys in one call, and go on in "
        f"{seconds} s.",
        {"Retry-After": str(seconds)},
    )
