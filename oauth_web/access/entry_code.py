"""The one-time code: proof that a visitor from elsewhere can see the server's terminal."""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no characters that look alike
# Whoever guesses a thousand times a second while a code lives meets it once in 450 million codes. So no try has to
# use the code up, which would let a stranger take it from the owner again and again.
LENGTH = 10
LIFE = timedelta(minutes=30)


class EntryCode:
    """A code that is shown on the terminal when it is first needed. tell: prints a line there."""

    def __init__(self, now: Callable[[], datetime], tell: Callable[[str], None]) -> None:
        self._now = now
        self._tell = tell
        self._lock = Lock()
        self._code = ""
        self._made: datetime | None = None

    def offer(self) -> None:
        """See to it that a code that still counts stands on the terminal."""
        with self._lock:
            if self._made is None or self._now() - self._made > LIFE:
                self._code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
                self._made = self._now()
                half = LENGTH // 2
                self._tell(
                    f"Somebody opened the page from elsewhere. If it was you, enter this code there: "
                    f"{self._code[:half]}-{self._code[half:]}"
                )

    def accept(self, entered: str) -> bool:
        """Return whether this is the code; a right one is used up."""
        given = "".join(character for character in entered.upper() if character.isalnum())
        with self._lock:
            if self._made is None or self._now() - self._made > LIFE:
                return False
            if not hmac.compare_digest(given.encode(), self._code.encode()):
                return False
            self._made = None
            return True
