"""One session of a tool: what it is answered, command by command.

aiosmtpd reads the commands and knows STARTTLS and AUTH. The commands of a mail are ours: what concerns it is asked of
the real server, and its answers go back.
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
from worker.gate.exchange import ALONE, MAX_SIZE, TOO_LARGE, Exchange, Mail, Shared, answer
from worker.gate.path import parse_path
from worker.gate.settings import MARKED_USER
from worker.gate.upstream import ANSWERING, CONNECTING, TAKING, Reply, said

MAX_RECIPIENTS = 1_000
MAX_SIGN_INS = 3  # in one session
# Seconds until the next command, or piece of a mail; fewer before it has signed in.
IDLE, STRANGERS_IDLE = 300.0, 30.0
# That the real server may take.
_PATIENCE = max(CONNECTING * 3, ANSWERING * 3, TAKING + ANSWERING)

# Options, and addresses beyond ASCII, make commands long.
_LONGEST: dict[str, int] = defaultdict(lambda: 4096)

_FAILED = said("451 4.3.0 the gate failed in an unexpected way; try again later")
_TOO_MANY = said("452 4.5.3 too many recipients; send the others in another mail")

log = logging.getLogger(__name__)


class _Envelope(Envelope):
    def __init__(self) -> None:
        super().__init__()
        self.mail = Mail()


class GateSession(SMTP):
    """A session. It needs a running event loop. among: those that are not over, this one too."""

    command_size_limits = _LONGEST
    line_length_limit = 64 * 1024  # what is read ahead, of a mail too
    envelope: _Envelope
    session: Session

    def __init__(self, shared: Shared, among: "set[GateSession]", tls: SSLContext | None) -> None:
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
            timeout=STRANGERS_IDLE,
            command_call_limit={"AUTH": MAX_SIGN_INS, "*": maxsize},
            authenticator=self._sign_in,
            loop=get_running_loop(),
        )
        self._shared = shared
        self._among = among
        self._exchange = Exchange(shared)
        self._call: Future[Any] = Future()
        self._call.set_result(None)
        among.add(self)

    @property
    def busy(self) -> bool:
        """Whether the real server is being asked."""
        return not self._call.done()

    def drop(self) -> None:
        """End it at once."""
        if self.transport is not None:
            self.transport.close()
        self._exchange.upstream.drop()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if self in self._among:
            self._among.discard(self)
            # A call that is under way comes to its end: a mail that was given to the real server stays given.
            self._call.add_done_callback(lambda _: self._leave())

    def _leave(self) -> None:
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
        known = isinstance(given, LoginPassword) and self._shared.settings.lets_in(
            given.login, given.password
        )
        if known:
            self._timeout_duration = IDLE
        return AuthResult(success=known, handled=False, auth_data=given if known else None)

    @property
    def _marked(self) -> bool:
        return bool(self.session.auth_data and self.session.auth_data.login == MARKED_USER.encode())

    async def smtp_EHLO(self, hostname: str) -> None:
        if not hostname:
            await self._answer(said("501 5.5.4 EHLO needs a name"))
            return
        self._set_rset_state()  # type: ignore[no-untyped-call]  # of aiosmtpd
        self.session.extended_smtp, self.session.host_name = True, hostname
        encrypted = self.session.ssl is not None
        may_sign_in = encrypted or not self._shared.settings.beyond_loopback
        lines = [self._shared.name, "PIPELINING"]
        lines += ["STARTTLS"] if self.tls_context and not encrypted else []
        if may_sign_in:  # before that, nobody has the real server asked
            can = await self._abilities()
            lines += [
                "AUTH LOGIN PLAIN",
                *(f"{name.upper()} {value}".rstrip() for name, value in can.items()),
            ]
        await self._answer(Reply(250, "\n".join(lines).encode()))

    async def smtp_MAIL(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        if self.envelope.mail.started:
            await self._answer(said("503 5.5.1 a mail has started already"))
        elif (sender := parse_path(arg, "FROM:")) is None:
            await self._answer(said("501 5.5.4 write it as MAIL FROM:<address>"))
        elif sender.size > MAX_SIZE:
            await self._answer(TOO_LARGE)
        else:
            await self._answer(await self._asked(self._exchange.begin, self.envelope.mail, sender))

    async def smtp_RCPT(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        mail = self.envelope.mail
        if not mail.started:
            await self._answer(said("503 5.5.1 MAIL comes first"))
        elif (recipient := parse_path(arg, "TO:")) is None or not recipient.address:
            await self._answer(said("501 5.5.4 write it as RCPT TO:<address>"))
        elif mail.waiting:
            await self._answer(ALONE)
        elif len(mail.recipients) >= MAX_RECIPIENTS:
            await self._answer(_TOO_MANY)
        else:
            await self._answer(await self._asked(self._exchange.add, mail, recipient, self._marked))

    async def smtp_DATA(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        if arg:
            await self._answer(said("501 5.5.4 DATA takes no parameter"))
            return
        if not self.envelope.mail.recipients:
            await self._answer(said("554 5.5.1 no recipient was taken"))
            return
        await self.push("354 End the mail by a line with a dot alone")
        with Body(self._shared.folder, MAX_SIZE) as body:
            await self._read(body)
            reply = await self._asked(self._exchange.send, self.envelope.mail, body)
        self._set_rset_state()  # type: ignore[no-untyped-call]  # of aiosmtpd
        await self._answer(reply)

    async def _read(self, body: Body) -> None:
        try:
            await read_body(self._reader, body, self._reset_timeout)
        except Exception as error:
            log.exception("A mail could not be read.")
            self._writer.close()
            # What is left of it must not be read as commands.
            raise CancelledError from error

    async def _must_sign_in(self) -> bool:
        if await self.check_helo_needed():
            return True
        if not self.session.authenticated:
            await self._answer(said("530 5.7.0 sign in first"))
            return True
        return False

    async def _answer(self, reply: Reply) -> None:
        await self.push(reply.wire)
        if reply.code == 421 and self.transport is not None:
            self.transport.close()

    async def _abilities(self) -> Mapping[str, str]:
        """Return what the real server can: as it said last, or if nothing is known of it yet, as it says now."""
        if not self._shared.can:
            await self._asked(self._exchange.connect)
        return self._shared.can or {"size": str(MAX_SIZE)}

    async def _asked(self, work: Callable[..., Reply], *arguments: object) -> Reply:
        """Do something in a thread that may wait for the real server; return what the tool is answered."""
        self._reset_timeout(_PATIENCE)
        self._call = self._shared.pool.submit(answer, work, *arguments)
        reply: Reply = await wrap_future(self._call)
        self._reset_timeout()
        return reply
