"""Sessions. An owner's session is stored encrypted in the database; the cookie contains only its random name.

So a sign-out ends a session even if somebody copied the cookie, and sessions survive a restart. The session of a
stranger is encrypted in the cookie itself, for an hour: strangers take no space on the server, and cannot displace each
other.
"""

import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson
from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from worker.database import Database, reading
from worker.errors import StorageError
from worker.sealing import Sealer, UnsealError, digest_of
from worker.sentences import Sentence

OWNER_IDLE_TIMEOUT = timedelta(days=14)
OWNER_LIFETIME = timedelta(days=30)
STRANGER_LIFETIME = timedelta(hours=1)  # since the last change
# The last use of a session is stored at most this often, because not every request should write to the disk.
STORE_INTERVAL = timedelta(hours=6)

OWNER = "owner"
_STRANGER = "a stranger's session"


@dataclass(slots=True)
class _Record:
    values: dict[str, Any]
    started: datetime
    used: datetime

    def is_expired(self, now: datetime) -> bool:
        return now - self.started > OWNER_LIFETIME or now - self.used > OWNER_IDLE_TIMEOUT


class SessionStore(Protocol):
    """Stores sessions by the names in cookies."""

    def get(self, cookie: str) -> dict[str, Any] | None:
        """Return the values of a cookie's session, None if it does not exist or is expired."""

    def stranger_cookie(self, values: Mapping[str, Any]) -> str:
        """Return a cookie that contains a stranger's session."""

    def put(self, name: str, values: dict[str, Any], *, new: bool) -> None:
        """Store the values of an owner's session durably.

        new: create the session. Otherwise a session that ended during the request stays ended.
        """

    def end(self, name: str) -> None:
        """End an owner's session, for every copy of its cookie."""


class Sessions:
    """All sessions of one seller.

    Owners' sessions are stored by the hash of their name, so that a copy of the database gives no access. A session
    never changes between stranger and owner: a sign-in starts another one.
    """

    def __init__(self, database: Database, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._database = database
        self._owners = database.documents("sessions")
        self._sealer = sealer
        self._now = now

    def get(self, cookie: str) -> dict[str, Any] | None:
        return self._read_cookie(cookie) or self._read_stored(cookie)

    def stranger_cookie(self, values: Mapping[str, Any]) -> str:
        return self._sealer.seal(orjson.dumps((_STRANGER, values, self._now())).decode())

    def put(self, name: str, values: dict[str, Any], *, new: bool) -> None:
        key, now = digest_of(name), self._now()
        with self._database.together():
            known = self._read(key)
            if known or new:
                self._write(key, _Record(values, known.started if known else now, now))
            if new:
                self._delete(lambda it: it is None or it.is_expired(now))

    def end(self, name: str) -> None:
        self._owners.delete([digest_of(name)])

    def end_all_of(self, owners: Collection[str]) -> None:
        """End all sessions of these owners, so that no old session works if an owner is added again."""
        with self._database.together():
            self._delete(lambda it: it is not None and it.values.get(OWNER) in owners)

    def _read_cookie(self, cookie: str) -> dict[str, Any] | None:
        try:
            kind, values, changed = orjson.loads(self._sealer.unseal(cookie))
            left = STRANGER_LIFETIME - (self._now() - datetime.fromisoformat(changed))
        except (UnsealError, ValueError, TypeError):
            return None
        found: dict[str, Any] = values
        return found if kind == _STRANGER and OWNER not in found and left >= timedelta() else None

    def _read_stored(self, name: str) -> dict[str, Any] | None:
        now = self._now()
        record = self._read(digest_of(name))
        if record is None or record.is_expired(now):
            return None
        if now - record.used > STORE_INTERVAL:
            with suppress(StorageError):  # the owner must still see the page with the disk problem
                self.put(name, record.values, new=False)
        return dict(record.values)

    def _delete(self, matches: Callable[["_Record | None"], bool]) -> None:
        records = {str(it.doc_id): self._decrypt(str(it.doc_id), it) for it in self._owners.walk()}
        self._owners.delete(key for key, it in records.items() if matches(it))

    def _write(self, key: str, record: _Record) -> None:
        # It contains its key, so that a copy of the record under another key is invalid.
        content = orjson.dumps((key, record.values, record.started, record.used)).decode()
        self._owners.put({key: {"sealed": self._sealer.seal(content)}})

    def _read(self, key: str) -> _Record | None:
        document = self._owners.find(key)
        return None if document is None else self._decrypt(key, document)

    def _decrypt(self, key: str, document: Mapping[str, Any]) -> _Record | None:
        """Return an owner's session, None if it cannot be read: the owner only has to sign in again."""
        try:
            with reading(Sentence("a session")):
                sealed_key, values, started, used = orjson.loads(self._sealer.unseal(document["sealed"]))
                record = _Record(values, datetime.fromisoformat(started), datetime.fromisoformat(used))
                return record if sealed_key == key else None
        except StorageError:
            return None


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """The object behind Flask's ``session``."""

    def __init__(self, values: dict[str, Any], name: str | None) -> None:
        super().__init__(values, _mark_modified)
        self.modified = False
        self.new = name is None
        self.name = name or secrets.token_urlsafe(32)
        self.former_name: str | None = None

    @property
    def is_owner(self) -> bool:
        return OWNER in self

    @property
    def id(self) -> str:
        """An ID for the server's records; the cookie cannot be derived from it."""
        return digest_of(self.name)

    def restart(self, prefix: str = "") -> None:
        """Change the name and clear the values, against session fixation. prefix: of the new name."""
        self.former_name = None if self.new or not self.is_owner else self.name
        self.name = prefix + secrets.token_urlsafe(32)
        self.new = True
        self.clear()


def _mark_modified(session: CallbackDict[str, Any]) -> None:
    session.modified = True  # type: ignore[attr-defined]  # it is a ServerSession


class ServerSessions(SessionInterface):
    """Connects Flask to a SessionStore."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        name = request.cookies.get(self.get_cookie_name(app), "")
        values = self._sessions.get(name) if name else None
        # Never use an unknown name from a cookie: it might be an attacker's (session fixation).
        return ServerSession({}, None) if values is None else ServerSession(values, name)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, ServerSession)  # noqa: S101 - open_session returns nothing else
        response.vary.add("Cookie")
        if session.former_name is not None:
            self._sessions.end(session.former_name)
        if session.is_owner:
            if session.modified:
                self._sessions.put(session.name, dict(session), new=session.new)
            if session.new:
                self._set_cookie(app, session.name, OWNER_LIFETIME, response)
        elif session:
            if session.modified:
                self._set_cookie(app, self._sessions.stranger_cookie(session), STRANGER_LIFETIME, response)
        elif session.former_name is not None or (session.modified and not session.new):
            response.delete_cookie(self.get_cookie_name(app), path=self.get_cookie_path(app))

    def _set_cookie(self, app: Flask, value: str, lifetime: timedelta, response: Response) -> None:
        response.set_cookie(
            self.get_cookie_name(app),
            value,
            max_age=lifetime,
            path=self.get_cookie_path(app),
            httponly=True,
            samesite="Lax",
            secure=self.get_cookie_secure(app),
        )
