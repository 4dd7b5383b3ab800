"""Sign-ins under way: each bound to the browser that began it, used once, forgotten after ten minutes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

LIFE = timedelta(minutes=10)
MOST = 1000  # at once; the oldest go first, so that a flood costs no memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One visit to Google's consent page. session_id: whose browser went there."""

    session_id: str
    verifier: str = field(repr=False)
    redirect_uri: str
    begun: datetime


class Attempts:
    """The sign-ins under way, in memory: a restart ends them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._attempts: dict[str, Attempt] = {}

    def new_state(self) -> str:
        """Return a value that nobody can guess."""
        return secrets.token_urlsafe(32)

    def begin(self, state: str, *, session_id: str, verifier: str, redirect_uri: str) -> None:
        """Remember a sign-in until its answer comes."""
        with self._lock:
            while len(self._attempts) >= MOST:
                del self._attempts[next(iter(self._attempts))]
            self._attempts[state] = Attempt(
                session_id=session_id, verifier=verifier, redirect_uri=redirect_uri, begun=self._now()
            )

    def take(self, state: str, *, session_id: str) -> Attempt | None:
        """Return the sign-in of this state and forget it; None if it is not this browser's, is spent or is too old."""
        with self._lock:
            attempt = self._attempts.get(state)
            if attempt is None or attempt.session_id != session_id:
                return None
            del self._attempts[state]
        return attempt if self._now() - attempt.begun <= LIFE else None
