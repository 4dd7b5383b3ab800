"""Who may enter: nobody but owners, and before there is one, whoever opened the link on its terminal."""

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
MAX_PLACE = 1000  # characters; it travels in a cookie
_READING = ("GET", "HEAD", "OPTIONS")
_READERS_MAY_SEND = ("sign_in.sign_out",)

# Bytes that an owner may send to these routes; all others take what the application's configuration says.
LARGE_UPLOADS = {"imports.preview": 20_000_000, "restores.restore": 32_000_000}

_Route = TypeVar("_Route", bound=Callable[..., ResponseReturnValue])
_open_routes: set[str] = {"static"}


def open_to_all(route: _Route) -> _Route:
    """Mark a route that strangers may use. Every other route is for owners."""
    _open_routes.add(f"{route.__module__.rpartition('.')[2]}.{route.__name__}")
    return route


def is_open(endpoint: str | None) -> bool:
    """Return whether a stranger may use a route."""
    return endpoint in _open_routes


def protect(app: Flask) -> None:
    """Let only owners through, except where a route is open to all."""

    @app.before_request
    def admit() -> ResponseReturnValue | None:
        # Asked at each request: who stops being an owner is out at once.
        # Of strangers nothing is asked: whether the process lives does not depend on the database.
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
            abort(400)  # a part without a name, over which flask-wtf would stumble
        return None


def welcome() -> dict[str, bool]:
    """Return what a stranger is shown: the button, or where the link is that comes first."""
    return {
        "needs_link": not may_sign_in(),
        "owned": services().start_link is None or bool(services().owners.emails()),
    }


def _remember_place() -> None:
    """Keep in a stranger's session which page they asked for, to go there after the sign-in.

    It is made from the route and not from what the browser sent, so it is always one of ours.
    """
    seen = request.method == "GET" and request.headers.get("Sec-Fetch-Dest", "document") == "document"
    if not seen or not may_sign_in() or request.endpoint is None:
        return
    query = request.query_string.decode("ascii", "ignore")
    place = url_for(request.endpoint, **(request.view_args or {})) + (query and f"?{query}")
    if len(place) <= MAX_PLACE:
        session[PLACE] = place


def may_sign_in() -> bool:
    """Return whether this visitor may go to Google: with owners anybody may try, the first one must be admitted."""
    return services().start_link is None or bool(services().owners.emails()) or may_become_owner()


def may_become_owner() -> bool:
    """Return whether this visitor would own the page by signing in first: whoever opened the start link."""
    return bool(session.get(ADMITTED))


def by_owner() -> str:
    """Return who makes a change, for the audit trail."""
    return f"{g.owner}, on the page"


def browser() -> ServerSession:
    """Return the session of this browser."""
    found = session._get_current_object()  # type: ignore[attr-defined]  # the object behind the proxy
    assert isinstance(found, ServerSession)  # noqa: S101 - ServerSessions makes no other
    return found


def token_shown() -> Token | None:
    """Return the token of the API that the request shows; None if it is none.

    Raises TooManyRequests for a visitor who has shown many that are none. One that is right is always taken, so that
    a program with an old token keeps no other one on its machine from asking.
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        return None
    return _known(given.token)


def token_in_address() -> Token | None:
    """Return the token for downloads that the address of this request holds; None if it is none, or of another kind.

    Raises what ``token_shown`` raises.
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
    """Return what limits count visitors by: an address, or of IPv6 the network that one household has.

    Behind a proxy it is the address that the proxy wrote down. Whoever makes one up is counted as somebody else: that
    gains a few tries more, and keeps nobody out.
    """
    named = ""
    if services().app.settings.public_url is not None:
        named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    address = named or request.remote_addr or ""
    try:
        return str(ip_network((address, 64 if ":" in address else 32), strict=False))
    except ValueError:
        return address[:64]
