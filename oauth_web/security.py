"""Rules for every answer: what browsers may do with it, and under which names the page is reached."""

from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import SecurityError

from worker.settings import Settings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
NAMES = "BUYERBLOCK_NAMES"  # Flask's own TRUSTED_HOSTS takes no IPv6 address

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not "no-referrer": flask-wtf asks for the referrer of a POST over https.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS = f"max-age={365 * 24 * 3600}"


def is_https(settings: Settings) -> bool:
    """Return whether browsers reach the page by https."""
    return (settings.public_url or "").startswith("https://")


def trusted_hosts(settings: Settings) -> list[str]:
    """Return the names under which the page answers.

    Any other Host is a stranger's name that was made to point here (DNS rebinding) and gets nothing.
    """
    names = [*LOOPBACK_NAMES]
    if settings.public_url:
        names.append(urlsplit(settings.public_url).hostname or "")
    if settings.host not in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not listened on
        names.append(settings.host)
    return names


def name_asked_for() -> str:
    """Return the name or address by which the browser reached the page, without port and brackets."""
    return urlsplit(f"//{request.host}").hostname or ""


def protect(app: Flask) -> None:
    """Refuse strangers' names, before anything else is asked, and add the headers to every answer."""
    https, names = app.config["SESSION_COOKIE_SECURE"], app.config[NAMES]

    @app.before_request
    def answer_to_our_names() -> None:
        if name_asked_for() not in names:
            raise SecurityError

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(_HEADERS)
        if https:
            response.headers["Strict-Transport-Security"] = _HSTS
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response
