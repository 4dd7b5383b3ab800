"""The link for the first owner, and for one whose address has changed.

It proves that a visitor can see the server's terminal or log.

Nothing else about a request is proof. A proxy on this machine may pass on strangers' requests that look in every
respect like those of a browser here.
"""

import hmac
import secrets
from collections.abc import Callable
from threading import Lock
from typing import Literal


class StartLink:
    """A link that counts once. base: the page's address, with a slash at its end. say: prints a line."""

    def __init__(self, base: str, say: Callable[[str], None]) -> None:
        self._base = base
        self._say = say
        self._lock = Lock()
        self._secret = secrets.token_urlsafe(32)
        self._used: str | None = None

    def show(self) -> str:
        """Print the link that counts now, and return it."""
        link = f"{self._base}start/{self._secret}"
        self._say(f"Open this link in your browser, then sign in: {link}")
        return link

    def open(self, secret: str) -> Literal["right", "used", "wrong"]:
        """Take the secret of a link. ``used``: it was right once; the next one is printed."""
        with self._lock:
            if _same(secret, self._secret):
                self._used, self._secret = self._secret, secrets.token_urlsafe(32)
                return "right"
            if self._used is None or not _same(secret, self._used):
                return "wrong"
            self.show()
            return "used"


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), secret.encode())
