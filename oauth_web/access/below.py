"""The page below a path of the public address, such as ``https://example.com/buyerblock``."""

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from flask import Flask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def serve_below(page: Flask, path: str) -> None:
    """Have all links of the page begin with this path; "" for none.

    A proxy may pass the path on, or take it away: requests are understood with it and without.
    """
    if not path:
        return
    start = unquote_to_bytes(path).decode("latin-1")  # as WSGI writes paths
    whole = page.wsgi_app

    def below(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        asked = f"{environ.get('PATH_INFO', '')}/"
        if asked.startswith(f"{start}/"):
            environ["PATH_INFO"] = asked[len(start) : -1] or "/"
        environ["SCRIPT_NAME"] = start
        return whole(environ, start_response)

    page.wsgi_app = below  # type: ignore[method-assign]  # Flask's documented place for it
