"""Access control of the page: only owners; before the first owner, the visitor who opened the start link."""

from collections.abc import Callable
from ipaddress import ip_network
from math import ceil
from typing import TypeVar

from flask import Flask, abort, g, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from oauth_web.access.owners import Role
from oauth_web.access.sessions import OWNER, ServerSession
from oauth_web.services import sellers, services
from oauth_web.texts.english import text
from worker.owner.tokens import Token

ADMITTED = "admitted"
PLACE = "place"
MAX_PLACE = 1000  # characters; it is stored in a cookie
_READING = ("GET", "HEAD", "OPTIONS")
_READERS_MAY_SEND = ("sign_in.sign_out",)

# Bytes that an owner may send to these routes; for others MAX_REQUEST of application.py is the limit.
LARGE_UPLOADS = {"imports.preview": 20_000_000, "restores.restore": 32_000_000}

_Route = TypeVar("_Route", bound=Callable[..., ResponseReturnValue])
_open_routes: set[str] = {"static"}


def open_to_all(route: _Route) -> _Route:
    """Mark a route that strangers may use. All other routes are only for owners."""
    _open_routes.add(f"{route.__module__.rpartition('.')[2]}.{route.__name__}")
    return route


def is_open(endpoint: str | None) -> bool:
    return endpoint in _open_routes


def protect(app: Flask) -> None:
    """Reject all visitors except owners, unless a route is open to all."""

    @app.before_request
    def admit() -> ResponseReturnValue | None:
        # Checked for each request: a removed owner loses access at once. For strangers the database is not read, so
        # that the liveness check does not depend on it.
        owner = services().owners.get(session[OWNER]) if OWNER in session else None
        g.owner, g.only_reads = owner and owner.email, owner is not None and owner.role is Role.READ
        if g.only_reads and request.method not in _READING and request.endpoint not in _READERS_MAY_SEND:
            return render_template("error.html", message=text("people.only_reads")), 403
        if g.owner is None and request.endpoint == "home.home" and PLACE in session:
            del session[PLACE]
        if g.owner is not None and request.endpoint in LARGE_UPLOADS:
            request.max_content_length = request.max_form_memory_size = LARGE_UPLOADS[request.endpoint]
        if g.owner is None and request.endpoint is not None and not is_open(request.endpoint):
            _remember_place()
            return render_template("welcome.html", **welcome()), 401
        if request.method == "POST" and None in request.form:
            abort(400)  # a form part without a name, which makes flask-wtf fail
        return None


def welcome() -> dict[str, bool]:
    """Return the values for the welcome page. needs_link: the visitor must open the start link first."""
    return {
        "needs_link": not may_sign_in(),
        "owned": services().start_link is None or bool(services().owners.emails()),
    }


def _remember_place() -> None:
    """Store the requested page in a stranger's session, to redirect there after the sign-in.

    The URL is built from the route, not from the request, so it cannot lead to another site.
    """
    is_page = request.method == "GET" and request.headers.get("Sec-Fetch-Dest", "document") == "document"
    if not is_page or not may_sign_in() or request.endpoint is None:
        return
    query = request.query_string.decode("ascii", "ignore")
    place = url_for(request.endpoint, **(request.view_args or {})) + (query and f"?{query}")
    if len(place) <= MAX_PLACE:
        session[PLACE] = place


def may_sign_in() -> bool:
    """Return whether this visitor may sign in. If there are owners, anybody may try; the first one needs the link."""
    return services().start_link is None or bool(services().owners.emails()) or may_become_owner()


def may_become_owner() -> bool:
    """Return whether this visitor has opened the start link, and so may become the first owner."""
    return bool(session.get(ADMITTED))


def by_owner() -> str:
    """Return the author of a change, for the audit trail."""
    return f"{g.owner}, on the page"


def browser() -> ServerSession:
    """Return the session of this browser."""
    found = session._get_current_object()  # type: ignore[attr-defined]  # the object behind the proxy
    assert isinstance(found, ServerSession)  # noqa: S101 - ServerSessions makes no other
    return found


def bearer_token() -> Token | None:
    """Return the API token in the request's header; None if there is none or a wrong one.

    Raises TooManyRequests for a visitor with many wrong tokens. A right token is always accepted, so that a program
    with a wrong token does not block other programs on its machine.
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        return None
    return _known(given.token)


def token_in_address() -> Token | None:
    """Return the download token in the request's URL; None if it is wrong or has another scope.

    Raises TooManyRequests like ``bearer_token``.
    """
    secret = request.args.get("token", "")
    token = _known(secret) if secret else None
    return token if token and token.scope == "download" else None


def _known(secret: str) -> Token | None:
    token = None
    if (found := sellers().of_token(secret)) is not None:
        token = found.tokens.find(secret, now=found.app.clock.now())
        g.services = found
    if token is None and (wait := services().token_limit.wait(visitor())):
        raise TooManyRequests(
            "Too many wrong tokens were shown; look the token up, then go on later.", retry_after=ceil(wait)
        )
    return token


def visitor() -> str:
    """Return the key of a visitor for rate limits: the address, for IPv6 the /64 network of a household.

    Behind a proxy it is the address that the proxy reports. A forged one only gains some more tries; it locks nobody
    out.
    """
    forwarded = ""
    if services().app.settings.public_url is not None:
        forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    address = forwarded or request.remote_addr or ""
    try:
        return str(ip_network((address, 64 if ":" in address else 32), strict=False))
    except ValueError:
        return address[:64]
