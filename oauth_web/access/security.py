"""Rules for every answer: what browsers may do with it, and under which names the page is reached."""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from werkzeug.exceptions import SecurityError

from worker.settings import Settings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
NAMES = "BUYERBLOCK_NAMES"  # Flask's own TRUSTED_HOSTS takes no IPv6 address

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
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


def path_of(settings: Settings) -> str:
    """Return the path below which the page is reached, such as ``/buyerblock``; "" for none."""
    return urlsplit(settings.public_url or "").path


def cookie_of(settings: Settings) -> tuple[str, str]:
    """Return the name and the path of the cookie.

    Browsers keep one jar for all ports of a host, so the port is in the name. The prefixes make them refuse such a
    cookie over plain http, and ``__Host-`` also from a neighbouring host; that one holds for a whole host only.
    """
    path, public = path_of(settings), urlsplit(settings.public_url or settings.own_url)
    https = is_https(settings)
    prefix = ("__Secure-" if path else "__Host-") if https else ""
    port = public.port or (443 if https else 80)
    return f"{prefix}buyerblock{'' if https and port == 443 else f'-{port}'}", path or "/"


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
    """Refuse strangers' names and what other pages ask for behind a visitor's back, and add headers to every answer."""
    https, names = app.config["SESSION_COOKIE_SECURE"], app.config[NAMES]

    @app.before_request
    def answer_to_our_names() -> None:
        if name_asked_for() not in names:
            raise SecurityError

    @app.before_request
    def refuse_other_pages() -> None:
        # Browsers say who asks, and for what (Fetch Metadata). Without this any page on the web could use up the
        # sign-ins of this machine, and one on another port of it, which gets our cookies, could measure answers.
        site, goal = request.headers.get("Sec-Fetch-Site"), request.headers.get("Sec-Fetch-Dest")
        if site in {"cross-site", "same-site"} and (goal != "document" or request.method != "GET"):
            abort(403)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)  # a route may be stricter
        if https:
            response.headers["Strict-Transport-Security"] = _HSTS
        # Files that are the same for everybody say themselves how long they hold.
        response.headers.setdefault("Cache-Control", "no-store")
        return response
