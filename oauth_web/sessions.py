"""Sessions, kept at the server: the browser holds a random name for one and nothing else.

So a sign-out ends a session for good, whoever copied the cookie. Sessions of owners survive a restart, sealed on
disk; those of strangers live in memory, an hour at most, and only so many of them.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import orjson
from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from worker.files import storage_error, write_atomically
from worker.sealing import Sealer, UnsealError

OWNERS_IDLE = timedelta(days=14)
OWNERS_LIFE = timedelta(days=30)
STRANGERS_LIFE = timedelta(hours=1)
MOST_STRANGERS = 5000
# Not every request writes to the disk: a session's last use is kept there this exactly.
WRITTEN_EVERY = timedelta(hours=6)

OWNER = "owner"


@dataclass(slots=True)
class _Record:
    values: dict[str, Any]
    begun: datetime
    used: datetime


class Sessions:
    """All sessions, by the hash of their name, so that a copy of the file opens none."""

    def __init__(self, directory: Path, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._path = directory / "sessions.sealed"
        self._sealer = sealer
        self._now = now
        self._lock = Lock()
        self._records = self._load()
        self._written = now()

    def get(self, name: str) -> dict[str, Any] | None:
        """Return what a session holds, None if there is no such session or it is over."""
        with self._lock:
            record = self._records.get(_hashed(name))
            if record is None or self._over(record):
                return None
            record.used = self._now()
            if OWNER in record.values and record.used - self._written > WRITTEN_EVERY:
                self._write()
            return dict(record.values)

    def put(self, name: str, values: dict[str, Any], *, new: bool) -> None:
        """Keep what a session holds; an owner's is on disk when this returns.

        A session that was ended while a request of it was under way stays ended.
        """
        key, now = _hashed(name), self._now()
        with self._lock:
            known = self._records.get(key)
            if known is None and not new:
                return
            self._records[key] = _Record(values, known.begun if known else now, now)
            if OWNER in values:
                self._write()
            elif new:
                self._make_room()

    def end(self, name: str) -> None:
        """End a session at once, for every holder of its name."""
        with self._lock:
            record = self._records.pop(_hashed(name), None)
            if record is not None and OWNER in record.values:
                self._write()

    def _over(self, record: _Record) -> bool:
        now = self._now()
        if OWNER in record.values:
            return now - record.begun > OWNERS_LIFE or now - record.used > OWNERS_IDLE
        return now - record.begun > STRANGERS_LIFE

    def _make_room(self) -> None:
        strangers = [key for key, record in self._records.items() if OWNER not in record.values]
        if len(strangers) > MOST_STRANGERS:
            for key in strangers[: MOST_STRANGERS // 10]:
                del self._records[key]

    def _write(self) -> None:
        self._written = self._now()
        lasting = {
            key: (record.values, record.begun, record.used)
            for key, record in self._records.items()
            if OWNER in record.values and not self._over(record)
        }
        write_atomically(self._path, self._sealer.seal(orjson.dumps(lasting).decode()).encode())

    def _load(self) -> dict[str, _Record]:
        try:
            lasting = orjson.loads(self._sealer.unseal(self._path.read_text(encoding="ascii")))
        except (FileNotFoundError, UnsealError, ValueError):
            return {}  # signing in again is all that it costs
        except OSError as error:
            raise storage_error("read", self._path, error) from error
        return {
            key: _Record(values, datetime.fromisoformat(begun), datetime.fromisoformat(used))
            for key, (values, begun, used) in lasting.items()
        }


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """What Flask calls ``session``."""

    def __init__(self, values: dict[str, Any], name: str | None) -> None:
        super().__init__(values, _mark)
        self.modified = False
        self.new = name is None
        self.name = name or secrets.token_urlsafe(32)
        self.former: str | None = None

    @property
    def id(self) -> str:
        """What the server may remember this session by; the cookie cannot be made from it."""
        return _hashed(self.name)

    def start_anew(self) -> None:
        """Change the name and forget the content, so that whoever knew the old name gains nothing by a sign-in."""
        self.former = None if self.new else self.name
        self.name = secrets.token_urlsafe(32)
        self.new = True
        self.clear()


def _mark(session: CallbackDict[str, Any]) -> None:
    session.modified = True  # type: ignore[attr-defined]  # it is a ServerSession


class ServerSessions(SessionInterface):
    """Tells Flask where sessions are kept."""

    def __init__(self, sessions: Sessions) -> None:
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
        if session:
            if session.modified:
                self._sessions.put(session.name, dict(session), new=session.new)
            if session.new:
                self._set_cookie(app, session.name, response)
        elif session.former is not None:
            response.delete_cookie(self.get_cookie_name(app), path="/")

    def _set_cookie(self, app: Flask, name: str, response: Response) -> None:
        response.set_cookie(
            self.get_cookie_name(app),
            name,
            max_age=OWNERS_LIFE,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self.get_cookie_secure(app),
        )


def _hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
