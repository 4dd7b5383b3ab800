"""Tokens for the HTTP API: who may use it, how far, and who did lately.

A token is shown once, when it is made. ``tokens.json`` keeps its SHA-256, which opens nothing; a slow hash would
add nothing either, since a token is 256 random bits and not a word that somebody chose.
"""

import hashlib
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

import orjson
from filelock import FileLock, Timeout

from worker.errors import BusyError, DamagedFileError, StorageError, UsageError
from worker.files import storage_error, write_atomically

Scope = Literal["read", "write"]

LONGEST_NAME = 60  # characters
PREFIX = "buyerblock_"  # so that tools that look for leaked secrets can find ours
# Not every request writes to the disk: the last use is kept this exactly.
WRITTEN_EVERY = timedelta(minutes=1)

_log = logging.getLogger(__name__)
_Documents = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is remembered of a token. scope ``write`` includes ``read``; last_used is exact to a minute."""

    name: str
    scope: Scope
    created_at: datetime
    last_used: datetime | None = None


class Tokens:
    """The tokens of a data directory, which threads and processes may share.

    Every call sees what others have done, so a revoked token is refused at once. Raises StorageError, BusyError
    when another process holds the file, and DamagedFileError: a damaged file lets nobody in.

    patience: seconds to wait for another process.
    """

    def __init__(self, directory: Path, *, patience: float = 10.0) -> None:
        self._patience = patience
        self._path = directory / "tokens.json"
        self._lock_path = directory / "tokens.lock"

    def create(self, name: str, scope: Scope = "read", *, now: datetime) -> str:
        """Make a token and return it, for the only time. Raises UsageError for a name that does not do."""
        name, secret = _good_name(name), PREFIX + secrets.token_urlsafe(32)
        with self._changing(self._patience) as documents:
            if any(document["name"] == name for document in documents):
                raise UsageError(
                    f"There is a token called {name!r} already; revoke it or choose another name."
                )
            documents.append(
                {
                    "name": name,
                    "scope": scope,
                    "hash": _hashed(secret),
                    "created_at": now.isoformat(),
                    "last_used": None,
                }
            )
        return secret

    def all(self) -> list[Token]:
        """Return the tokens, the oldest first."""
        return [_to_token(document) for document in self._read()]

    def revoke(self, name: str) -> bool:
        """Make a token useless from now on; return False if there was none of this name."""
        with self._changing(self._patience) as documents:
            left = [document for document in documents if document["name"] != name]
            found = len(left) < len(documents)
            documents[:] = left
        return found

    def find(self, secret: str, *, now: datetime) -> Token | None:
        """Return the token that a caller shows, and remember that it was used; None if there is no such token."""
        wanted = _hashed(secret)
        token = next((_to_token(it) for it in self._read() if it["hash"] == wanted), None)
        if token is not None and (token.last_used is None or now - token.last_used >= WRITTEN_EVERY):
            self._note_use(wanted, now)
        return token

    def _note_use(self, wanted: str, now: datetime) -> None:
        try:
            with self._changing(patience=0) as documents:
                for document in documents:
                    if document["hash"] == wanted:
                        document["last_used"] = now.isoformat()
        except BusyError:
            return  # the next request notes it
        except StorageError as error:
            # Whoever asks whether to write to a buyer must get an answer, even when the disk is full.
            _log.warning("The last use of a token could not be kept: %s", error)

    @contextmanager
    def _changing(self, patience: float) -> Iterator[_Documents]:
        with _locked(self._lock_path, patience):
            documents = self._read()
            before = orjson.dumps(documents)
            yield documents
            if orjson.dumps(documents) != before:
                write_atomically(self._path, orjson.dumps({"tokens": documents}, option=orjson.OPT_INDENT_2))

    def _read(self) -> _Documents:
        try:
            documents: _Documents = orjson.loads(self._path.read_bytes())["tokens"]
            documents = documents[:]  # what has no slices is no list
            for document in documents:
                _to_token(document), str(document["hash"])
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error("read", self._path, error) from error
        except (ValueError, LookupError, TypeError) as error:
            raise DamagedFileError(
                f"{self._path} is damaged; put it back from a backup, or remove it and make new tokens."
            ) from error
        return documents


@contextmanager
def _locked(path: Path, patience: float) -> Iterator[None]:
    try:
        lock = FileLock(path, timeout=patience, mode=0o600)
        lock.acquire()
    except Timeout as error:
        raise BusyError(f"Another program is changing {path.parent / 'tokens.json'}; try again.") from error
    except OSError as error:
        raise storage_error("lock", path, error) from error
    try:
        yield
    finally:
        lock.release()


def _good_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"A token needs a name of 1 to {LONGEST_NAME} printable characters.")
    return name


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _to_token(document: dict[str, Any]) -> Token:
    last_used = document["last_used"]
    return Token(
        name=str(document["name"]),
        scope=cast(Scope, document["scope"]),
        created_at=datetime.fromisoformat(document["created_at"]),
        last_used=datetime.fromisoformat(last_used) if last_used else None,
    )
