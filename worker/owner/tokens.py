"""Tokens for the HTTP API: name, scope and last use.

A token is shown only once, when it is created. Only its SHA-256 is stored. A slow hash is not needed, since a token is
256 random bits, not a password.
"""

import logging
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from tinydb import where

from worker.database import Database, stored
from worker.errors import StorageError, UsageError
from worker.sealing import digest_of

Scope = Literal["read", "write", "download"]

MAX_NAME = 60  # characters
PREFIX = "buyerblock_"  # so that secret scanners can find leaked tokens
# The last use is stored at most once in this time, since not every request should write to the disk.
WRITTEN_EVERY = timedelta(minutes=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token. last_used: exact to a minute.

    scope: ``write`` includes ``read``; ``download`` allows only to download the list, by a URL with the token.
    """

    name: str
    scope: Scope
    created_at: datetime
    last_used: datetime | None = None


_to_token = partial(stored, Token)


class Tokens:
    """The tokens, by the hash of their secret."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("tokens")
        self._documents.expect(_to_token)

    def create(self, name: str, scope: Scope = "read", *, now: datetime) -> str:
        """Create a token and return its secret, which is not stored. Raises UsageError for an invalid or used name."""
        token = Token(name=_valid_name(name), scope=scope, created_at=now)
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._database.together():
            if self._documents.contains(where("name") == token.name):
                raise UsageError(
                    "There is a token called {name!r} already; revoke it or choose another name.",
                    name=token.name,
                )
            self._documents.put({digest_of(secret): asdict(token)})
        return secret

    def all(self) -> list[Token]:
        """Return the tokens, the oldest first."""
        return sorted(
            map(_to_token, self._documents.walk()), key=lambda token: (token.created_at, token.name)
        )

    def revoke(self, name: str, scope: Scope | None = None) -> bool:
        """Delete a token; return False if there is none with this name, and this scope if given."""
        of_name = where("name") == name
        return bool(self._documents.remove(of_name & (where("scope") == scope) if scope else of_name))

    def find(self, secret: str, *, now: datetime) -> Token | None:
        """Return the token of a secret and record its use; None if there is no such token."""
        key = digest_of(secret)
        document = self._documents.find(key)
        if document is None:
            return None
        token = _to_token(document)
        if token.last_used is None or now - token.last_used >= WRITTEN_EVERY:
            self._record_use(key, now)
        return token

    def _record_use(self, key: str, now: datetime) -> None:
        try:
            with self._database.together():
                if (document := self._documents.find(key)) is not None:
                    self._documents.put({key: document | {"last_used": now}})
        except StorageError as error:
            # A full disk must not prevent answers about blocked buyers.
            _log.warning("The last use of a token could not be stored: %s", error)


def _valid_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise UsageError("A token needs a name of 1 to {most} printable characters.", most=MAX_NAME)
    return name
