"""Grants of users to clients: authorization codes, access tokens, refresh tokens, expiry and revocation."""

import base64
import hashlib
import json
import secrets
import threading
from dataclasses import dataclass, field, replace

from oauth_web.demo.sandbox.clock import Clock

CODE_LIFE = 600.0  # seconds
ACCESS_LIFE = 3599
TESTING_LIFE = 7 * 86_400.0  # of a refresh token of a client in status Testing
MAX_REFRESH_TOKENS = 100  # per account and client; the oldest becomes invalid


@dataclass(slots=True)
class Grant:
    """The grant of one user to one client. refresh_tokens: with their creation times, oldest first."""

    client_id: str
    email: str
    scopes: frozenset[str] = frozenset()
    refresh_tokens: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Access:
    """An access token. It is kept after it expired, so that late calls can be assigned to a user."""

    grant: Grant
    scopes: frozenset[str]
    expires_at: float
    revoked: bool = False

    @property
    def email(self) -> str:
        return self.grant.email

    def alive(self, now: float) -> bool:
        return not self.revoked and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code."""

    client_id: str
    email: str
    scopes: frozenset[str]
    redirect_uri: str
    challenge: str
    challenge_method: str
    offline: bool
    made_at: float


class GrantError(Exception):
    """The token endpoint refuses with ``invalid_grant``; ``str(error)`` is Google's description."""


class Grants:
    """All grants of a sandbox. testing: whether refresh tokens expire after seven days."""

    def __init__(self, clock: Clock) -> None:
        self.testing = False
        self._clock = clock
        self._lock = threading.RLock()
        self._grants: dict[tuple[str, str], Grant] = {}
        self._codes: dict[str, Code] = {}
        self._access: dict[str, Access] = {}

    def access(self, token: str) -> Access | None:
        """Return an access token, valid or not; None if it was never issued."""
        return self._access.get(token)

    def scopes(self, client_id: str, email: str) -> frozenset[str]:
        """Return the scopes that the user granted to the client before."""
        grant = self._grants.get((client_id, email))
        return grant.scopes if grant else frozenset()

    def consented(self, code: Code, *, prompted: bool, include_granted: bool) -> str:
        """Store a consent and return its authorization code.

        A refresh token comes only with offline access, and only if the user saw the consent page: at the first consent,
        for new scopes, or with ``prompt=consent``.
        """
        with self._lock:
            grant = self._grants.setdefault((code.client_id, code.email), Grant(code.client_id, code.email))
            asked = prompted or not code.scopes <= grant.scopes
            scopes = code.scopes | grant.scopes if include_granted else code.scopes
            grant.scopes |= code.scopes
            text = f"4/0A{secrets.token_urlsafe(24)}"
            self._codes[text] = replace(code, scopes=scopes, offline=code.offline and asked)
        return text

    def redeem(self, text: str, client_id: str, redirect_uri: str, verifier: str) -> dict[str, object]:
        """Exchange an authorization code for tokens; it works once. Raises GrantError."""
        with self._lock:
            code = self._codes.pop(text, None)
            if code is None or code.client_id != client_id:
                raise GrantError("Malformed auth code.")
            if self._now() > code.made_at + CODE_LIFE or code.redirect_uri != redirect_uri:
                raise GrantError("Bad Request")
            _check_verifier(code, verifier)
            grant = self._grants.get((client_id, code.email))
            if grant is None:
                raise GrantError("Bad Request")
            reply = self._new_access(grant, code.scopes)
            if "openid" in code.scopes:
                reply["id_token"] = _id_token(code)
            if code.offline:
                reply["refresh_token"] = self._new_refresh(grant)
                if self.testing:
                    reply["refresh_token_expires_in"] = int(TESTING_LIFE) - 1
        return reply

    def refresh(self, token: str, client_id: str) -> dict[str, object]:
        """Return a new access token. Raises GrantError if the refresh token is invalid."""
        with self._lock:
            grant = self._by_refresh(token)
            if grant is None or grant.client_id != client_id:
                raise GrantError("Token has been expired or revoked.")
            if self.testing and self._now() > grant.refresh_tokens[token] + TESTING_LIFE:
                raise GrantError("Token has been expired or revoked.")
            return self._new_access(grant, grant.scopes)

    def revoke_token(self, token: str) -> bool:
        """Revoke the grant of an access or refresh token; return False if the token is unknown."""
        with self._lock:
            grant = self._by_refresh(token)
            if grant is None and (access := self._access.get(token)) and access.alive(self._now()):
                grant = access.grant
            if grant is not None:
                self._end(grant)
            return grant is not None

    def revoke(self, email: str) -> None:
        """Revoke all grants of a user, as in the settings of the Google account."""
        with self._lock:
            for grant in [grant for grant in self._grants.values() if grant.email == email]:
                self._end(grant)

    def change_address(self, former: str, email: str) -> None:
        """Move a user's grants and tokens to another address."""
        with self._lock:
            for key in [key for key in self._grants if key[1] == former]:
                grant = self._grants.pop(key)
                grant.email = email
                self._grants[grant.client_id, email] = grant

    def expire(self, email: str) -> None:
        """Expire the user's access tokens now; refresh tokens stay valid."""
        for access in list(self._access.values()):
            if access.email == email:
                access.expires_at = min(access.expires_at, self._now())

    def owner(self, token: str) -> str:
        """Return the user of a token or code; "" if it is unknown."""
        grant = self._by_refresh(token)
        known = grant or self._access.get(token) or self._codes.get(token)
        return known.email if known else ""

    def _by_refresh(self, token: str) -> Grant | None:
        return next((grant for grant in self._grants.values() if token in grant.refresh_tokens), None)

    def _end(self, grant: Grant) -> None:
        self._grants.pop((grant.client_id, grant.email), None)
        for access in self._access.values():
            if access.grant is grant:
                access.revoked = True

    def _new_access(self, grant: Grant, scopes: frozenset[str]) -> dict[str, object]:
        token = f"ya29.a0{secrets.token_urlsafe(48)}"
        self._access[token] = Access(grant, scopes, self._now() + ACCESS_LIFE)
        return {
            "access_token": token,
            "expires_in": ACCESS_LIFE,
            "scope": " ".join(sorted(scopes)),
            "token_type": "Bearer",
        }

    def _new_refresh(self, grant: Grant) -> str:
        token = f"1//0{secrets.token_urlsafe(36)}"
        grant.refresh_tokens[token] = self._now()
        if len(grant.refresh_tokens) > MAX_REFRESH_TOKENS:
            del grant.refresh_tokens[next(iter(grant.refresh_tokens))]
        return token

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _check_verifier(code: Code, verifier: str) -> None:
    """Raise GrantError unless the verifier matches the challenge (RFC 7636, section 4.6)."""
    if not code.challenge:
        return
    if not verifier:
        raise GrantError("Missing code verifier.")
    derived = verifier
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        derived = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not secrets.compare_digest(derived, code.challenge):
        raise GrantError("Invalid code verifier.")


def _id_token(code: Code) -> str:
    """Return an ID token with an invalid signature, which nobody checks."""
    claims: dict[str, object] = {
        "iss": "https://accounts.google.com",
        "aud": code.client_id,
        "sub": f"sub-of-{code.email}",
    }
    if "email" in code.scopes:
        claims |= {"email": code.email, "email_verified": True}
    parts = (json.dumps(it).encode() for it in ({"alg": "RS256", "typ": "JWT"}, claims))
    encoded = [base64.urlsafe_b64encode(it).rstrip(b"=").decode() for it in parts]
    return ".".join((*encoded, "signature"))
