"""The link for the first owner, and for an owner whose address has changed.

It proves that a visitor can read the server's terminal or log. Nothing else in a request is proof: a proxy on this
machine may forward requests of strangers that look like those of a local browser.
"""

import hmac
import secrets
from collections.abc import Callable
from threading import Lock
from typing import Literal


class StartLink:
    """A link that works once. base: the page's URL with a final slash."""

    def __init__(self, base: str, print_line: Callable[[str], None]) -> None:
        self._base = base
        self._print_line = print_line
        self._lock = Lock()
        self._secret = secrets.token_urlsafe(32)
        self._used_secret: str | None = None

    def show(self) -> str:
        """Print and return the current link."""
        link = f"{self._base}start/{self._secret}"
        self._print_line(f"Open this link in your browser, then sign in: {link}")
        return link

    def open(self, secret: str) -> Literal["right", "used", "wrong"]:
        """Check the secret of a link, and replace a right one. ``used``: it worked before; the new link is printed."""
        with self._lock:
            if _same(secret, self._secret):
                self._used_secret, self._secret = self._secret, secrets.token_urlsafe(32)
                return "right"
            if self._used_secret is None or not _same(secret, self._used_secret):
                return "wrong"
            self.show()
            return "used"


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), secret.encode())
