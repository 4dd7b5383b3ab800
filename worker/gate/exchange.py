"""The work for each SMTP command: check the block list, ask the real server, return the reply for the tool.

Calls block; they run in a thread, one at a time for each session.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from worker.block_list import BlockList
from worker.errors import StorageError
from worker.gate.body import Body
from worker.gate.decide import Refusal, kind_of, refusal
from worker.gate.path import Path as MailPath
from worker.gate.record import GateRecord
from worker.gate.settings import GateSettings
from worker.gate.upstream import Reply, Upstream, UpstreamError, make_reply

MAX_SIZE = 100_000_000  # bytes on the wire; most servers announce a lower limit

MUST_BE_ALONE = make_reply(
    "452 4.5.3 a recipient who may get marked mail only has to be the only one; send it and the others separately"
)
TOO_LARGE = make_reply("552 5.3.4 the mail is larger than this gate takes")
_UNREADABLE = make_reply("451 4.3.0 the block list cannot be read, so nothing is sent; try again later")

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class SharedState:
    """State that all sessions share.

    folder: for large mails. pool: threads that may wait for the real server. name: of this machine. extensions: the
    SMTP extensions of the real server, empty until they are known.
    """

    settings: GateSettings
    block_list: BlockList
    record: GateRecord
    now: Callable[[], datetime]
    folder: Path
    pool: ThreadPoolExecutor
    name: str
    extensions: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Mail:
    """The current mail.

    recipients: those that the real server accepted. pending_refusal: why the only recipient is refused unless the mail
    is marked.
    """

    started: bool = False
    recipients: list[str] = field(default_factory=list)
    pending_refusal: Refusal | None = None


class Exchange:
    """The block list and the real server, for one session."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self.upstream = Upstream(shared.settings)

    def connect(self) -> Reply:
        """Connect to the real server if needed, and store its extensions."""
        try:
            extensions = self.upstream.connect()
        except UpstreamError as error:
            self._shared.record.problem(str(error))
            raise
        size = extensions.get("size", "")
        # No number, or 0, means no limit (RFC 1870).
        most = min(int(size), MAX_SIZE) if size.isdecimal() and int(size) else MAX_SIZE
        # One assignment, because other threads read it.
        self._shared.extensions = {**extensions, "size": str(most)}
        self._shared.record.problem("")
        return Reply(250, b"")

    def begin(self, mail: Mail, sender: MailPath) -> Reply:
        """Reply to MAIL."""
        self.connect()
        reply = self.upstream.mail(sender.line(b"MAIL FROM"))
        mail.started = reply.is_success
        return reply

    def add(self, mail: Mail, recipient: MailPath, marked: bool) -> Reply:
        """Reply to RCPT. marked: the tool may send marked mail."""
        reason = refusal(self._shared.block_list, recipient.address)
        if reason and not marked:
            return self._refused(reason)
        if reason and mail.recipients:
            return MUST_BE_ALONE
        reply = reply_or_error(self.upstream.command, recipient.line(b"RCPT TO"))
        if reply.is_success:
            mail.recipients.append(recipient.address)
            mail.pending_refusal = reason
        else:
            self._shared.record.count("not_taken")
        return reply

    def send(self, mail: Mail, body: Body) -> Reply:
        """Reply to the end of a mail."""
        if mail.pending_refusal and kind_of(body.head) not in mail.pending_refusal.still_allowed:
            return self._refused(mail.pending_refusal)
        reply = _rejection(body) or reply_or_error(self.upstream.data, body.chunks())
        self._shared.record.count("sent" if reply.is_success else "not_taken", len(mail.recipients))
        if reply.is_success and mail.pending_refusal:
            self._shared.record.count("marked")
        return reply

    def _refused(self, reason: Refusal) -> Reply:
        self._shared.record.refused(reason.key, self._shared.now())
        return make_reply(f"550 5.7.1 {reason}")


def reply_or_error(work: Callable[..., Reply], *arguments: object) -> Reply:
    """Return the reply of a call, or the reply for its error."""
    try:
        return work(*arguments)
    except UpstreamError as error:
        log.warning("The real server cannot be used: %s", error)
        return error.reply
    except StorageError as error:
        log.warning("The gate refuses for the moment: %s", error)
        return _UNREADABLE


def _rejection(body: Body) -> Reply | None:
    if body.too_large:
        return TOO_LARGE
    if body.disk_full:
        return make_reply("452 4.3.1 the disk is full; try again later")
    if body.false_end:
        return make_reply(
            "550 5.6.0 a line of the mail is a dot alone; end lines by CRLF, and double dots that begin them"
        )
    return None
