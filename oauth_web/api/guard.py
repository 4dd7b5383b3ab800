"""Who may use the API: a program with a token, as far as its scope goes, or an owner who is signed in."""

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
from oauth_web.guard import is_open, token_shown
from oauth_web.services import services

MAX_PER_MINUTE = 600
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")

_Route = TypeVar("_Route", bound=Callable[..., ResponseReturnValue])
_questions: set[str] = set()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. id: what requests are counted by. by: the name in the audit trail."""

    id: str
    by: str
    may_write: bool


def question(route: _Route) -> _Route:
    """Mark a POST that only asks, so that the scope ``read`` is enough. All others take ``write``."""
    _questions.add(f"{route.__module__.rpartition('.')[2]}.{route.__name__}")
    return route


def protect(api: Flask, csrf: CSRFProtect) -> None:
    """Let nobody through without a token or an owner's session, whatever the address."""

    @api.before_request
    def admit() -> ResponseReturnValue | None:
        if is_open(request.endpoint):
            return None
        caller = _by_token() if "Authorization" in request.headers else _by_session(csrf)
        if caller is None:
            return _unknown()
        if wait := services().api_limit.wait(caller.id):
            return _too_fast(wait)
        if _changes_the_list() and not caller.may_write:
            return _read_only()
        g.caller = caller
        return None


def by_caller() -> str:
    """Return who makes a change, for the audit trail."""
    caller: Caller = g.caller
    return caller.by


def _changes_the_list() -> bool:
    # An address that does not exist is answered with 404, whatever the token.
    return bool(request.endpoint) and request.method in _CHANGING and request.endpoint not in _questions


def _by_token() -> Caller | None:
    token = token_shown()
    if token is None:
        return None
    if token.scope == "download":
        raise Forbidden("This token is good for downloads by an address that holds it, and for nothing else.")
    return Caller(f"token {token.name}", f"token {token.name!r}, by the API", token.scope == "write")


def _by_session(csrf: CSRFProtect) -> Caller | None:
    # Asked at each request: who stops being an owner is out at once.
    owner = services().owners.get(session.get(OWNER, ""))
    if owner is None:
        return None
    csrf.protect()  # a browser sends its cookie along with whatever another site makes it send
    return Caller(f"owner {owner.email}", f"{owner.email}, by the API", owner.role is Role.FULL)


def _unknown() -> ResponseReturnValue:
    shown = ', error="invalid_token"' if "Authorization" in request.headers else ""
    return problem(
        401,
        "Show a token that is in force, in a header such as: Authorization: Bearer buyerblock_...",
        {"WWW-Authenticate": f'Bearer realm="buyerblock"{shown}'},
    )


def _read_only() -> ResponseReturnValue:
    return problem(
        403,
        "This token, or this person, may only read; changing the list takes a token with the scope write.",
        {"WWW-Authenticate": 'Bearer realm="buyerblock", error="insufficient_scope", scope="write"'},
    )


def _too_fast(wait: float) -> ResponseReturnValue:
    seconds = ceil(wait)
    return problem(
        429,
        f"More than {MAX_PER_MINUTE} requests a minute with one token; ask for many keys in one call, and go on in "
        f"{seconds} s.",
        {"Retry-After": str(seconds)},
    )
