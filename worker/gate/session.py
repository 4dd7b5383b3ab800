"""One session of a tool: what it is answered, command by command.

aiosmtpd reads the commands and knows STARTTLS and AUTH. The commands of a mail are ours: what concerns it is asked of
the real server, and its answers go back.
"""

import logging
import re
from asyncio import CancelledError, wrap_future
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from ssl import SSLContext
from sys import maxsize
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from worker.block_list import BlockList
from worker.errors import StorageError
from worker.gate.body import Body, read_body
from worker.gate.decide import Refusal, kind_of, refusal
from worker.gate.record import GateRecord
from worker.gate.settings import MARKED_USER, GateSettings
from worker.gate.upstream import ANSWERING, CONNECTING, TAKING, Reply, Upstream, UpstreamError, said

MAX_SIZE = 100_000_000  # bytes on the wire; most servers take less, and say so
MAX_RECIPIENTS = 1_000
MAX_SIGN_INS = 3  # in one session
# Seconds until the next command, or piece of a mail; fewer before it has signed in.
IDLE, STRANGERS_IDLE = 300.0, 30.0
# That the real server may take.
_PATIENCE = max(CONNECTING * 3, ANSWERING * 3, TAKING + ANSWERING)

# Options, and addresses beyond ASCII, make commands long.
_LONGEST: dict[str, int] = defaultdict(lambda: 4096)
_PATH = re.compile(
    r"\s*(?:<(?:@[^:<>\s]*:)?(?P<path>(?:\"(?:[^\"\\]|\\.)*\"|[^\s<>\"@]*)(?:@[^\s<>\"@]+)?)>|(?P<bare>[^\s<>\"]+))"
    r"(?:\s+(?P<options>[!-~\s]*))?"
)
_SIZE = re.compile(r"\bSIZE=(\d+)\b", re.IGNORECASE)

_DAMAGED = said("451 4.3.0 the block list cannot be read, so nothing is sent; try again later")
_FAILED = said("451 4.3.0 the gate failed in an unexpected way; try again later")
_ALONE = said(
    "452 4.5.3 a recipient who may get marked mail only has to be the only one; send it and the others separately"
)
_TOO_MANY = said("452 4.5.3 too many recipients; send the others in another mail")
_TOO_LARGE = said("552 5.3.4 the mail is larger than this gate takes")

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Around:
    """What all sessions share. can: what the real server can, empty until that is known."""

    settings: GateSettings
    block_list: BlockList
    record: GateRecord
    now: Callable[[], datetime]
    folder: Path
    pool: ThreadPoolExecutor
    sessions: "set[GateSession]"
    name: str
    can: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Recipient:
    """An address as it was sent, without brackets, and the options behind it."""

    address: str
    options: str

    def line(self, verb: bytes) -> bytes:
        text = f":<{self.address}>{' ' if self.options else ''}{self.options}"
        return verb + text.encode("utf-8", "surrogateescape")


class _Mail(Envelope):
    """The mail under way. waiting: why its only recipient is refused unless the mail is marked."""

    waiting: Refusal | None = None


class GateSession(SMTP):
    """A session. It needs a running event loop."""

    command_size_limits = _LONGEST
    line_length_limit = 64 * 1024  # what is read ahead, of a mail too
    envelope: _Mail
    session: Session

    def __init__(self, around: Around, tls: SSLContext | None) -> None:
        beyond = around.settings.beyond_loopback
        super().__init__(
            None,
            data_size_limit=None,
            enable_SMTPUTF8=True,
            hostname=around.name,
            ident="buyerblock",
            tls_context=tls,
            require_starttls=beyond,
            auth_require_tls=beyond,
            timeout=STRANGERS_IDLE,
            command_call_limit={"AUTH": MAX_SIGN_INS, "*": maxsize},
            authenticator=self._sign_in,
        )
        self._around = around
        self._upstream = Upstream(around.settings)
        self._call: Future[Any] = Future()
        self._call.set_result(None)
        around.sessions.add(self)

    @property
    def busy(self) -> bool:
        """Whether the real server is being asked."""
        return not self._call.done()

    def drop(self) -> None:
        """End it at once."""
        if self.transport is not None:
            self.transport.close()
        self._upstream.drop()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if self in self._around.sessions:
            self._around.sessions.discard(self)
            # A call that is under way comes to its end: a mail that was given to the real server stays given.
            self._call.add_done_callback(lambda _: self._leave())

    def _leave(self) -> None:
        try:
            self._around.pool.submit(self._upstream.close)
        except RuntimeError:  # the gate is stopping
            self._upstream.drop()

    def _create_envelope(self) -> _Mail:
        return _Mail()

    async def handle_exception(self, error: Exception) -> str:
        log.error("A command of a tool failed in an unexpected way.", exc_info=error)
        return _FAILED.wire.decode()

    def _sign_in(
        self, _server: SMTP, _session: Session, _mail: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        known = isinstance(given, LoginPassword) and self._around.settings.lets_in(
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
        lines = [self._around.name, "PIPELINING"]
        lines += ["STARTTLS"] if self.tls_context and not encrypted else []
        lines += ["AUTH LOGIN PLAIN"] if encrypted or not self._around.settings.beyond_loopback else []
        lines += [f"{name.upper()} {value}".rstrip() for name, value in (await self._abilities()).items()]
        await self._answer(Reply(250, "\n".join(lines).encode()))

    async def smtp_MAIL(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        if self.envelope.mail_from is not None:
            await self._answer(said("503 5.5.1 a mail has begun already"))
        elif (sender := _parsed(arg, "FROM:")) is None:
            await self._answer(said("501 5.5.4 write it as MAIL FROM:<address>"))
        elif (size := _SIZE.search(sender.options)) and int(size[1]) > MAX_SIZE:
            await self._answer(_TOO_LARGE)
        else:
            reply = await self._asked(self._begun, sender.line(b"MAIL FROM"))
            if reply.taken:
                self.envelope.mail_from = sender.address
            await self._answer(reply)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        mail = self.envelope
        if mail.mail_from is None:
            await self._answer(said("503 5.5.1 MAIL comes first"))
        elif (recipient := _parsed(arg, "TO:")) is None or not recipient.address:
            await self._answer(said("501 5.5.4 write it as RCPT TO:<address>"))
        elif mail.waiting:
            await self._answer(_ALONE)
        elif len(mail.rcpt_tos) >= MAX_RECIPIENTS:
            await self._answer(_TOO_MANY)
        else:
            reply = await self._asked(self._decided, mail, recipient)
            if reply.taken:
                mail.rcpt_tos.append(recipient.address)
            await self._answer(reply)

    async def smtp_DATA(self, arg: str | None) -> None:
        if await self._must_sign_in():
            return
        if arg:
            await self._answer(said("501 5.5.4 DATA takes no parameter"))
            return
        if not self.envelope.rcpt_tos:
            await self._answer(said("554 5.5.1 no recipient was taken"))
            return
        await self.push("354 End the mail by a line with a dot alone")
        with Body(self._around.folder, MAX_SIZE) as body:
            await self._read(body)
            reply = await self._asked(self._given, self.envelope, body)
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
        if not self._around.can:
            await self._asked(self._connected)
        return self._around.can or {"size": str(MAX_SIZE)}

    async def _asked(self, work: Callable[..., Reply], *arguments: object) -> Reply:
        """Do something in a thread that may wait for the real server; return what the tool is answered."""
        self._reset_timeout(_PATIENCE)
        self._call = self._around.pool.submit(_answered, work, *arguments)
        reply: Reply = await wrap_future(self._call)
        self._reset_timeout()
        return reply

    # What follows runs in a thread.

    def _connected(self) -> Reply:
        try:
            can = self._upstream.connect()
        except UpstreamError as error:
            self._around.record.problem(str(error))
            raise
        size = can.get("size", "")
        # No number, or 0, means that it sets no limit.
        most = min(int(size), MAX_SIZE) if size.isdecimal() and int(size) else MAX_SIZE
        self._around.can = {**can, "size": str(most)}  # at once, since others read it
        self._around.record.problem("")
        return Reply(250, b"")

    def _begun(self, line: bytes) -> Reply:
        self._connected()
        return self._upstream.mail(line)

    def _decided(self, mail: _Mail, recipient: _Recipient) -> Reply:
        why = refusal(self._around.block_list, recipient.address)
        if why and not self._marked:
            return self._refused(why)
        if why and mail.rcpt_tos:
            return _ALONE
        reply = _answered(self._upstream.command, recipient.line(b"RCPT TO"))
        if not reply.taken:
            self._around.record.count("not_taken")
        elif why:
            mail.waiting = why
        return reply

    def _given(self, mail: _Mail, body: Body) -> Reply:
        if mail.waiting and mail.waiting.stands_for(kind_of(body.head)):
            return self._refused(mail.waiting)
        reply = _unfit(body) or _answered(self._upstream.data, body.pieces())
        self._around.record.count("sent" if reply.taken else "not_taken", len(mail.rcpt_tos))
        if reply.taken and mail.waiting:
            self._around.record.count("marked")
        return reply

    def _refused(self, why: Refusal) -> Reply:
        self._around.record.refused(why.key, self._around.now())
        return said(f"550 5.7.1 {why}")


def _answered(work: Callable[..., Reply], *arguments: object) -> Reply:
    try:
        return work(*arguments)
    except UpstreamError as error:
        log.warning("The real server cannot be used: %s", error)
        return error.reply
    except StorageError as error:
        log.warning("The gate refuses for the moment: %s", error)
        return _DAMAGED


def _unfit(body: Body) -> Reply | None:
    if body.too_large:
        return _TOO_LARGE
    if body.no_room:
        return said("452 4.3.1 the disk is full; try again later")
    if body.false_end:
        return said(
            "550 5.6.0 a line of the mail is a dot alone; end lines by CRLF, and double dots that begin them"
        )
    return None


def _parsed(arg: str | None, keyword: str) -> _Recipient | None:
    """Return what follows ``FROM:`` or ``TO:``, None if that is no address."""
    if arg is None or arg[: len(keyword)].upper() != keyword:
        return None
    found = _PATH.fullmatch(arg, len(keyword))
    if found is None:
        return None
    address = found["bare"] if found["path"] is None else found["path"]
    # Nothing may be an end of line to the real server that was none here.
    if any(ord(char) < 32 or ord(char) == 127 for char in address):
        return None
    return _Recipient(address, " ".join((found["options"] or "").split()))
