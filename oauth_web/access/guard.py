"""Who may enter: nobody but owners, and before there is one, whoever sits at this machine or reads its terminal."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import TypeVar

from flask import Flask, abort, g, render_template, request, session
from flask.typing import ResponseReturnValue

from oauth_web.access.client_file import is_loopback
from oauth_web.access.security import name_asked_for
from oauth_web.access.sessions import OWNER, ServerSession
from oauth_web.services import services

ADMITTED = "admitted"

# Headers that proxies add. No browser sends one by itself.
_FORWARDED = (
    "forwarded",
    "x-forwarded-",
    "x-real-ip",
    "x-client-ip",
    "via",
    "cf-connecting-ip",
    "true-client-ip",
)

# Bytes that an owner may send to these routes; all others take what the application's configuration says.
LARGE_UPLOADS = {"imports.preview": 20_000_000, "backups.restore": 32_000_000}

_Route = TypeVar("_Route", bound=Callable[..., ResponseReturnValue])
_open_routes: set[str] = {"static"}


def open_to_all(route: _Route) -> _Route:
    """Mark a route that strangers may use. Every other route is for owners."""
    _open_routes.add(f"{route.__module__.rpartition('.')[2]}.{route.__name__}")
    return route


def protect(app: Flask) -> None:
    """Let only owners through, except where a route is open to all."""

    @app.before_request
    def admit() -> ResponseReturnValue | None:
        owner = session.get(OWNER)
        # Asked at each request: who stops being an owner is out at once.
        g.owner = owner if owner is not None and owner in services().owners.all() else None
        if g.owner is not None and request.endpoint in LARGE_UPLOADS:
            request.max_content_length = request.max_form_memory_size = LARGE_UPLOADS[request.endpoint]
        if g.owner is None and request.endpoint is not None and request.endpoint not in _open_routes:
            return render_template("welcome.html", **welcome()), 401
        if request.method == "POST" and None in request.form:
            abort(400)  # a part without a name, over which flask-wtf would stumble
        return None


def welcome() -> dict[str, bool]:
    """Return what a stranger is shown: the button, or first the field for the code."""
    return {"needs_code": not may_sign_in()}


def may_sign_in() -> bool:
    """Return whether this visitor may go to Google: with owners anybody may try, the first one must be at home."""
    return bool(services().owners.all()) or may_become_owner()


def may_become_owner() -> bool:
    """Return whether this visitor would own the page by signing in first."""
    return is_local() or bool(session.get(ADMITTED))


def by_owner() -> str:
    """Return who makes a change, for the audit trail."""
    return f"{g.owner}, on the page"


def browser() -> ServerSession:
    """Return the session of this browser."""
    found = session._get_current_object()  # type: ignore[attr-defined]  # what the proxy stands for
    assert isinstance(found, ServerSession)  # noqa: S101 - ServerSessions makes no other
    return found


def visitor() -> str:
    """Return what limits count visitors by: an address, or of IPv6 the network that one household has.

    Behind a proxy it is the address that the proxy wrote down. Whoever makes one up is counted as somebody else: that
    gains a few tries more, and keeps nobody out.
    """
    told = ""
    if services().app.settings.public_url is not None:
        told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    address = told or request.remote_addr or ""
    try:
        return str(ip_network((address, 64 if ":" in address else 32), strict=False))
    except ValueError:
        return address[:64]


def is_local() -> bool:
    """Return whether the request was made on this very machine.

    Behind a proxy every request seems to be, so a public address or a proxy's headers rule it out. So does HTTP/1.0,
    which no browser speaks: nginx does, and adds no header, where it is told nothing more than where to pass it on.
    """
    return (
        services().app.settings.public_url is None
        and is_loopback(request.remote_addr)
        and is_loopback(name_asked_for())
        and request.environ.get("SERVER_PROTOCOL") != "HTTP/1.0"
        and not any(name.lower().startswith(_FORWARDED) for name, _ in request.headers)
    )
