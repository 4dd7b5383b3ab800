"""Rules for every response: security headers, and the host names at which the page can be reached."""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from werkzeug.exceptions import SecurityError

from worker.settings import Settings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
TRUSTED_HOSTS = "BUYERBLOCK_NAMES"  # Flask's own TRUSTED_HOSTS takes no IPv6 address

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
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
    return (settings.public_url or "").startswith("https://")


def base_path(settings: Settings) -> str:
    """Return the path prefix of the page, such as ``/buyerblock``; "" for none."""
    return urlsplit(settings.public_url or "").path


def cookie_name_and_path(settings: Settings) -> tuple[str, str]:
    """Return the name and the path of the session cookie.

    Browsers share cookies between the ports of a host, so the port is in the name. With the prefix ``__Secure-`` or
    ``__Host-`` browsers refuse the cookie over http; ``__Host-`` also refuses it from a neighbouring host, but requires
    the path "/".
    """
    path, public = base_path(settings), urlsplit(settings.public_url or settings.own_url)
    https = is_https(settings)
    prefix = ("__Secure-" if path else "__Host-") if https else ""
    port = public.port or (443 if https else 80)
    return f"{prefix}buyerblock{'' if https and port == 443 else f'-{port}'}", path or "/"


def trusted_hosts(settings: Settings) -> list[str]:
    """Return the host names at which the page answers.

    Any other Host header may be DNS rebinding: an attacker's name that points to this machine.
    """
    names = [*LOOPBACK_NAMES]
    if settings.public_url:
        names.append(urlsplit(settings.public_url).hostname or "")
    if settings.host not in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not listened on
        names.append(settings.host)
    return names


def requested_host() -> str:
    """Return the host of the request, without port and brackets."""
    return urlsplit(f"//{request.host}").hostname or ""


def protect(app: Flask) -> None:
    """Refuse unknown host names and requests of other sites, and add security headers to every response."""
    https, names = app.config["SESSION_COOKIE_SECURE"], app.config[TRUSTED_HOSTS]

    @app.before_request
    def check_host() -> None:
        if requested_host() not in names:
            raise SecurityError

    @app.before_request
    def refuse_cross_site() -> None:
        # Fetch Metadata. Without this check any web page could use up this machine's limit of sign-ins, and a page on
        # another port of it, whose requests carry our cookies, could measure responses.
        site, destination = request.headers.get("Sec-Fetch-Site"), request.headers.get("Sec-Fetch-Dest")
        if site in {"cross-site", "same-site"} and (destination != "document" or request.method != "GET"):
            abort(403)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)  # a route may set stricter ones
        if https:
            response.headers["Strict-Transport-Security"] = _HSTS
        # Public static files set their own value.
        response.headers.setdefault("Cache-Control", "no-store")
        return response
