"""Go through the consent page like a browser: get the page, fill in its form, post it."""

from collections.abc import Container
from http.client import HTTPConnection
from urllib.parse import urlencode, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode


class PageError(Exception):
    """The page has no form; ``str(error)`` is the text of the page."""


def walk_consent(auth_url: str, *, email: str, untick: Container[str] = (), cancel: bool = False) -> str:
    """Return the URL that the consent page redirects to.

    email: "" keeps the account that the page selected. untick: scopes as URLs.
    """
    _, page = _fetch("GET", auth_url)
    form = LexborHTMLParser(page.decode()).css_first("form")
    if form is None:
        raise PageError(LexborHTMLParser(page.decode()).text(separator=" ", strip=True))
    fields = _filled_in(form, email, untick)
    fields.append(("decision", "cancel" if cancel else "allow"))
    target = urljoin(auth_url, form.attributes.get("action") or "")
    location, _ = _fetch("POST", target, urlencode(fields).encode())
    return location


def _filled_in(form: LexborNode, email: str, untick: Container[str]) -> list[tuple[str, str]]:
    fields = []
    for item in form.css("input"):
        name, value = item.attributes.get("name") or "", item.attributes.get("value") or ""
        match item.attributes.get("type"):
            case "radio" if value == email or (not email and "checked" in item.attributes):
                fields.append((name, value))
            case "checkbox" if value not in untick:
                fields.append((name, value))
            case "hidden":
                fields.append((name, value))
    return fields


def _fetch(verb: str, url: str, body: bytes | None = None) -> tuple[str, bytes]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
    try:
        connection.request(verb, f"{parts.path}?{parts.query}", body, headers)
        reply = connection.getresponse()
        return reply.getheader("Location", ""), reply.read()
    finally:
        connection.close()
