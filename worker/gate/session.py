"""One SMTP session of a tool: the reply to each command.

aiosmtpd reads the commands and implements STARTTLS and AUTH. The commands of a mail are ours; the real server's replies
go back to the tool.
"""

import logging
from asyncio import CancelledError, get_running_loop, wrap_future
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from ssl import SSLContext
from sys import maxsize
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from worker.gate.body import Body, read_body
from worker.gate.exchange import (
    MAX_SIZE,
    MUST_BE_ALONE,
    TOO_LARGE,
    Exchange,
    Mail,
    SharedState,
    reply_or_error,
)
from worker.gate.path import parse_path
from worker.gate.settings import MARKED_USER
from worker.gate.upstream import CONNECT_TIMEOUT, END_OF_MAIL_TIMEOUT, REPLY_TIMEOUT, Reply, make_reply

MAX_RECIPIENTS = 1_000
MAX_SIGN_INS = 3  # per session
# Seconds until the next command or chunk of a mail; less before sign-in.
IDLE_TIMEOUT, UNAUTHENTICATED_TIMEOUT = 300.0, 30.0
# Seconds that a call to the real server may take.
_UPSTREAM_TIMEOUT = max(CONNECT_TIMEOUT * 3, REPLY_TIMEOUT * 3, END_OF_MAIL_TIMEOUT + REPLY_TIMEOUT)

# Options and non-ASCII addresses make commands long.
_COMMAND_LIMITS: dict[str, int] = defaultdict(lambda: 4096)

_FAILED = make_reply("451 4.3.0 the gate failed in an unexpected way; try again later")
_TOO_MANY = make_reply("452 4.5.3 too many recipients; send the others in another mail")

log = logging.getLogger(__name__)


class _Envelope(Envelope):
    def __init__(self) -> None:
        super().__init__()
        self.mail = Mail()


class GateSession(SMTP):
    """A session. It needs a running event loop. sessions: all current sessions, including this one."""

    command_size_limits = _COMMAND_LIMITS
    line_length_limit = 64 * 1024  # also the read-ahead buffer of a mail
    envelope: _Envelope
    session: Session

    def __init__(self, shared: SharedState, sessions: "set[GateSession]", tls: SSLContext | None) -> None:
        beyond = shared.settings.beyond_loopback
        super().__init__(
            None,
            data_size_limit=None,
            enable_SMTPUTF8=True,
            hostname=shared.name,
            ident="buyerblock",
            tls_context=tls,
            require_starttls=beyond,
            auth_require_tls=beyond,
            timeout=UNAUTHENTICATED_TIMEOUT,
            command_call_limit={"AUTH": MAX_SIGN_INS, "*": maxsize},
            authenticator=self._sign_in,
            loop=get_running_loop(),
        )
        self._shared = shared
        self._sessions = sessions
        self._exchange = Exchange(shared)
        self._call: Future[Any] = Future()
        self._call.set_result(None)
        sessions.add(self)

    @property
    def busy(self) -> bool:
        """Whether a call to the real server is running."""
        return not self._call.done()

    def drop(self) -> None:
        """Close the connections at once."""
        if self.transport is not None:
            self.transport.close()
        self._exchange.upstream.drop()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if self in self._sessions:
            self._sessions.discard(self)
            # Let a running call finish: the real server may be accepting a mail.
            self._call.add_done_callback(lambda _: self._close_upstream())

    def _close_upstream(self) -> None:
        try:
            self._shared.pool.submit(self._exchange.upstream.close)
        except RuntimeError:  # the gate is stopping
            self._exchange.upstream.drop()

    def _create_envelope(self) -> _Envelope:
        return _Envelope()

    async def handle_exception(self, error: Exception) -> str:
        log.error("A command of a tool failed in an unexpected way.", exc_info=error)
        return _FAILED.wire.decode()

    def _sign_in(
        self, _server: SMTP, _session: Session, _mail: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        accepted = isinstance(given, LoginPassword) and self._shared.settings.accepts_login(
            given.login, given.password
        )
        if accepted:
            self._timeout_duration = IDLE_TIMEOUT
        return AuthResult(success=accepted, handled=False, auth_data=given if accepted else None)

    @property
    def _may_mark(self) -> bool:
        return bool(self.session.auth_data and self.session.auth_data.login == MARKED_USER.encode())

    async def smtp_EHLO(self, hostname: str) -> None:
        if not hostname:
            await self._answer(make_reply("501 5.5.4 EHLO needs a name"))
            return
        self._set_rset_state()  # type: ignore[no-untyped-call]  # of aiosmtpd
        self.session.extended_smtp, self.session.host_name = True, hostname
        encrypted = self.session.ssl is not None
        may_sign_in = encrypted or not self._shared.settings.beyond_loopback
        lines = [self._shared.name, "PIPELINING"]
        lines += ["STARTTLS"] if self.tls_context and not encrypted else []
        if may_sign_in:  # strangers must not cause connections to the real server
            extensions = await self._extensions()
            lines += [
                "AUTH LOGIN PLAIN",
                *(f"{name.upper()} {value}".rstrip() for name, value in extensions.items()),
            ]
        await self._answer(Reply(250, "\n".join(lines).encode()))

    async def smtp_MAIL(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        if self.envelope.mail.started:
            await self._answer(make_reply("503 5.5.1 a mail has started already"))
        elif (sender := parse_path(arg, "FROM:")) is None:
            await self._answer(make_reply("501 5.5.4 write it as MAIL FROM:<address>"))
        elif sender.size > MAX_SIZE:
            await self._answer(TOO_LARGE)
        else:
            await self._answer(await self._call_upstream(self._exchange.begin, self.envelope.mail, sender))

    async def smtp_RCPT(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        mail = self.envelope.mail
        if not mail.started:
            await self._answer(make_reply("503 5.5.1 MAIL comes first"))
        elif (recipient := parse_path(arg, "TO:")) is None or not recipient.address:
            await self._answer(make_reply("501 5.5.4 write it as RCPT TO:<address>"))
        elif mail.pending_refusal:
            await self._answer(MUST_BE_ALONE)
        elif len(mail.recipients) >= MAX_RECIPIENTS:
            await self._answer(_TOO_MANY)
        else:
            await self._answer(await self._call_upstream(self._exchange.add, mail, recipient, self._may_mark))

    async def smtp_DATA(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        if arg:
            await self._answer(make_reply("501 5.5.4 DATA takes no parameter"))
            return
        if not self.envelope.mail.recipients:
            await self._answer(make_reply("554 5.5.1 no recipient was taken"))
            return
        await self.push("354 End the mail by a line with a dot alone")
        with Body(self._shared.folder, MAX_SIZE) as body:
            await self._read_body(body)
            reply = await self._call_upstream(self._exchange.send, self.envelope.mail, body)
        self._set_rset_state()  # type: ignore[no-untyped-call]  # of aiosmtpd
        await self._answer(reply)

    async def _read_body(self, body: Body) -> None:
        try:
            await read_body(self._reader, body, self._reset_timeout)
        except Exception as error:
            log.exception("A mail could not be read.")
            self._writer.close()
            # The rest of the mail must not be read as commands.
            raise CancelledError from error

    async def _must_sign_in(self) -> bool:
        if await self.check_helo_needed():
            return True
        if not self.session.authenticated:
            await self._answer(make_reply("530 5.7.0 sign in first"))
            return True
        return False

    async def _answer(self, reply: Reply) -> None:
        await self.push(reply.wire)
        if reply.code == 421 and self.transport is not None:
            self.transport.close()

    async def _extensions(self) -> Mapping[str, str]:
        """Return the last known extensions of the real server; connect to it if none are known."""
        if not self._shared.extensions:
            await self._call_upstream(self._exchange.connect)
        return self._shared.extensions or {"size": str(MAX_SIZE)}

    async def _call_upstream(self, work: Callable[..., Reply], *arguments: object) -> Reply:
        """Call a function in a pool thread, because it may wait for the real server; return the reply."""
        self._reset_timeout(_UPSTREAM_TIMEOUT)
        self._call = self._shared.pool.submit(reply_or_error, work, *arguments)
        reply: Reply = await wrap_future(self._call)
        self._reset_timeout()
        return reply
