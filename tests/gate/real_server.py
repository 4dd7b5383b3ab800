"""A stand-in for the seller's outgoing server: a real SMTP server on loopback that keeps what it takes, or fails."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "shop@seller.example", "the real server's password"
FEATURES = ("PIPELINING", "SIZE 35000000", "DSN", "ENHANCEDSTATUSCODES")


@dataclass(frozen=True)
class Taken:
    """A mail that was taken. sender, recipients: as the commands had them, options included."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


@dataclass
class Script:
    """What it answers. answers: by command, or by ``RCPT`` and the beginning of an address; END is after the mail.

    dies: the command at which it ends the connection. waits: seconds before each answer after a mail.
    """

    answers: dict[str, str] = field(default_factory=dict)
    dies: str = ""
    waits: float = 0
    greeting: str = ""
    utf8: bool = True
    features: tuple[str, ...] = FEATURES
    asks_for_password: bool = False
    max_mails: int = 0  # in one session; 0 for any number


class RealServer:
    """The server; a context manager. implicit, starttls: with this certificate."""

    def __init__(
        self,
        script: Script | None = None,
        *,
        implicit: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = script or Script()
        self.taken: list[Taken] = []
        self.sessions = 0
        self.commands: list[str] = []
        self.port = 0
        self._implicit, self.starttls = implicit, starttls
        self._started: Future[None] = Future()
        self._open: set[Any] = set()

    def __enter__(self) -> "RealServer":
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        self._started.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def hang_up(self) -> None:
        """End all connections, as a server does with those that idle."""

        def close() -> None:
            for session in list(self._open):
                if session.transport is not None:
                    session.transport.close()

        self._loop.call_soon_threadsafe(close)

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(self._session, "127.0.0.1", self.port, ssl=self._implicit)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set_result(None)
        await self._stopping.wait()
        server.close()
        for session in self._open:
            if session.transport is not None:
                session.transport.abort()
        await asyncio.sleep(0.02)

    def _session(self) -> asyncio.Protocol:
        self.sessions += 1
        session = _Session(self)
        self._open.add(session)
        return session


class _Session(SMTP):
    line_length_limit = 1_000_000
    session: Session
    envelope: Any
    transport: Any

    def __init__(self, server: RealServer) -> None:
        self._server, self._mails = server, 0
        super().__init__(
            self,
            data_size_limit=None,
            enable_SMTPUTF8=server.script.utf8,
            hostname="real.example",
            tls_context=server.starttls,
            auth_require_tls=False,
            authenticator=self._known,
        )

    def _known(self, _a: SMTP, _b: Session, _c: Envelope, _d: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=given == (USER.encode(), PASSWORD.encode()), handled=False, auth_data=given)

    async def push(self, status: Any) -> None:
        if self._server.script.greeting and str(status).startswith("220 real.example"):
            await super().push(self._server.script.greeting)
            self.transport.close()
        else:
            await super().push(status)

    async def handle_EHLO(
        self, _s: SMTP, session: Session, _e: Envelope, host: str, lines: list[str]
    ) -> list[str]:
        session.host_name = host
        return [lines[0], *(f"250-{it}" for it in self._server.script.features), *lines[1:]]

    async def smtp_MAIL(self, arg: str) -> None:
        if self._server.script.asks_for_password and not self.session.authenticated:
            await self.push("530 5.7.0 Authentication required")
        elif 0 < self._server.script.max_mails <= self._mails:
            await self.push("421 4.7.0 enough for one session")
            self.transport.close()
        elif await self._scripted("MAIL", arg, "250 2.1.0 sender ok"):
            self.envelope.mail_from = arg.partition(":")[2]

    async def smtp_RCPT(self, arg: str) -> None:
        if await self._scripted("RCPT", arg, "250 2.1.5 recipient ok"):
            self.envelope.rcpt_tos.append(arg.partition(":")[2])

    async def smtp_DATA(self, arg: str) -> None:
        script = self._server.script
        if script.dies == "DATA":
            self._die()
        elif "DATA" in script.answers:
            await self._scripted("DATA", "", "")
        else:
            await super().smtp_DATA(arg)

    async def handle_DATA(self, *_: object) -> str:
        script, mail = self._server.script, self.envelope
        await asyncio.sleep(script.waits)
        if script.dies == "END":
            self._die()
        answer = script.answers.get("END", "250 2.0.0 taken")
        if answer.startswith("250") and script.dies != "END":
            self._mails += 1
            self._server.taken.append(
                Taken(mail.mail_from or "", tuple(mail.rcpt_tos), mail.original_content or b"")
            )
        return answer

    async def smtp_RSET(self, arg: str) -> None:
        self._server.commands.append("RSET")
        await super().smtp_RSET(arg)

    async def _scripted(self, command: str, arg: str, answer: str) -> bool:
        self._server.commands.append(f"{command} {arg}")
        script = self._server.script
        if script.dies == command:
            self._die()
            return False
        for key, scripted in script.answers.items():
            if f"{command} {arg.partition('<')[2]}".startswith(key):
                answer = scripted
        await self.push(answer)
        return answer.startswith("2")

    def _die(self) -> None:
        with suppress(AttributeError):
            self.transport.abort()


def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
