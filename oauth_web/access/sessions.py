"""Sessions of owners, kept at the server: the browser holds a random name for one and nothing else.

So a sign-out ends a session for good, whoever copied the cookie. Sessions of owners survive a restart, sealed in the
database. What there is to remember of a stranger is sealed in the stranger's own cookie, for an hour: so however
many strangers come, they take no memory, and none pushes another one out.
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

OWNERS_IDLE = timedelta(days=14)
OWNERS_LIFE = timedelta(days=30)
STRANGERS_LIFE = timedelta(hours=1)  # since it was last changed
# Not every request writes to the disk: a session's last use is stored this exactly.
WRITTEN_EVERY = timedelta(hours=6)

OWNER = "owner"
_STRANGER = "a stranger's session"


@dataclass(slots=True)
class _Record:
    values: dict[str, Any]
    started: datetime
    used: datetime

    def is_over(self, now: datetime) -> bool:
        return now - self.started > OWNERS_LIFE or now - self.used > OWNERS_IDLE


class SessionStore(Protocol):
    """Where sessions are kept, by the names that browsers hold."""

    def get(self, cookie: str) -> dict[str, Any] | None:
        """Return what the session of a cookie holds, None if there is no such session or it is over."""

    def sealed(self, values: Mapping[str, Any]) -> str:
        """Return the cookie that holds a stranger's session."""

    def put(self, name: str, values: dict[str, Any], *, new: bool) -> None:
        """Keep what an owner's session holds; it is on disk when this returns.

        new: a session that was ended while a request of it was under way stays ended.
        """

    def end(self, name: str) -> None:
        """End an owner's session at once, for every holder of its name."""


class Sessions:
    """All sessions of one seller's people.

    Those of owners are found by the hash of their name, so that a copy of the database opens none.

    A session is an owner's or a stranger's from its start to its end: a sign-in starts another one.
    """

    def __init__(self, database: Database, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._database = database
        self._owners = database.documents("sessions")
        self._sealer = sealer
        self._now = now

    def get(self, cookie: str) -> dict[str, Any] | None:
        return self._strangers(cookie) or self._owned(cookie)

    def sealed(self, values: Mapping[str, Any]) -> str:
        return self._sealer.seal(orjson.dumps((_STRANGER, values, self._now())).decode())

    def put(self, name: str, values: dict[str, Any], *, new: bool) -> None:
        key, now = digest_of(name), self._now()
        with self._database.together():
            known = self._read(key)
            if known or new:
                self._write(key, _Record(values, known.started if known else now, now))
            if new:
                self._delete(lambda it: it is None or it.is_over(now))

    def end(self, name: str) -> None:
        self._owners.delete([digest_of(name)])

    def end_of(self, owners: Collection[str]) -> None:
        """End all sessions of these owners at once, so that none opens again if one of them is let in again."""
        with self._database.together():
            self._delete(lambda it: it is not None and it.values.get(OWNER) in owners)

    def _strangers(self, cookie: str) -> dict[str, Any] | None:
        try:
            kind, values, changed = orjson.loads(self._sealer.unseal(cookie))
            left = STRANGERS_LIFE - (self._now() - datetime.fromisoformat(changed))
        except (UnsealError, ValueError, TypeError):
            return None
        found: dict[str, Any] = values
        return found if kind == _STRANGER and OWNER not in found and left >= timedelta() else None

    def _owned(self, name: str) -> dict[str, Any] | None:
        now = self._now()
        record = self._read(digest_of(name))
        if record is None or record.is_over(now):
            return None
        if now - record.used > WRITTEN_EVERY:
            with suppress(StorageError):  # the owner must be able to read what is wrong with the disk
                self.put(name, record.values, new=False)
        return dict(record.values)

    def _delete(self, over: Callable[["_Record | None"], bool]) -> None:
        records = {str(it.doc_id): self._unsealed(str(it.doc_id), it) for it in self._owners.walk()}
        self._owners.delete(key for key, it in records.items() if over(it))

    def _write(self, key: str, record: _Record) -> None:
        # With its key: a copy under another name would otherwise be a session, too.
        content = orjson.dumps((key, record.values, record.started, record.used)).decode()
        self._owners.put({key: {"sealed": self._sealer.seal(content)}})

    def _read(self, key: str) -> _Record | None:
        document = self._owners.find(key)
        return None if document is None else self._unsealed(key, document)

    def _unsealed(self, key: str, document: Mapping[str, Any]) -> _Record | None:
        """Return an owner's session. One that cannot be read is none: signing in again is all that it costs."""
        try:
            with reading(Sentence("a session")):
                sealed_for, values, started, used = orjson.loads(self._sealer.unseal(document["sealed"]))
                record = _Record(values, datetime.fromisoformat(started), datetime.fromisoformat(used))
                return record if sealed_for == key else None
        except StorageError:
            return None


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """What Flask calls ``session``."""

    def __init__(self, values: dict[str, Any], name: str | None) -> None:
        super().__init__(values, _mark)
        self.modified = False
        self.new = name is None
        self.name = name or secrets.token_urlsafe(32)
        self.former: str | None = None

    @property
    def is_owners(self) -> bool:
        return OWNER in self

    @property
    def id(self) -> str:
        """What the server may remember this session by; the cookie cannot be made from it."""
        return digest_of(self.name)

    def restart(self, prefix: str = "") -> None:
        """Change the name and forget the content, so that whoever knew the old name gains nothing by a sign-in.

        prefix: how the new name begins.
        """
        self.former = None if self.new or not self.is_owners else self.name
        self.name = prefix + secrets.token_urlsafe(32)
        self.new = True
        self.clear()


def _mark(session: CallbackDict[str, Any]) -> None:
    session.modified = True  # type: ignore[attr-defined]  # it is a ServerSession


class ServerSessions(SessionInterface):
    """Tells Flask where sessions are kept."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        name = request.cookies.get(self.get_cookie_name(app), "")
        values = self._sessions.get(name) if name else None
        # A name that we did not give out is never taken over: it might be an attacker's.
        return ServerSession({}, None) if values is None else ServerSession(values, name)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, ServerSession)  # noqa: S101 - open_session makes no other
        response.vary.add("Cookie")
        if session.former is not None:
            self._sessions.end(session.former)
        if session.is_owners:
            if session.modified:
                self._sessions.put(session.name, dict(session), new=session.new)
            if session.new:
                self._set_cookie(app, session.name, OWNERS_LIFE, response)
        elif session:
            if session.modified:
                self._set_cookie(app, self._sessions.sealed(session), STRANGERS_LIFE, response)
        elif session.former is not None or (session.modified and not session.new):
            response.delete_cookie(self.get_cookie_name(app), path=self.get_cookie_path(app))

    def _set_cookie(self, app: Flask, value: str, life: timedelta, response: Response) -> None:
        response.set_cookie(
            self.get_cookie_name(app),
            value,
            max_age=life,
            path=self.get_cookie_path(app),
            httponly=True,
            samesite="Lax",
            secure=self.get_cookie_secure(app),
        )
