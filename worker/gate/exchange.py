"""What one session asks of the block list and of the real server. Calls block, and run in a thread, one at a time.

Each returns what the tool is answered.
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
from worker.gate.upstream import Reply, Upstream, UpstreamError, said

MAX_SIZE = 100_000_000  # bytes on the wire; most servers take less, and say so

ALONE = said(
    "452 4.5.3 a recipient who may get marked mail only has to be the only one; send it and the others separately"
)
TOO_LARGE = said("552 5.3.4 the mail is larger than this gate takes")
_UNREADABLE = said("451 4.3.0 the block list cannot be read, so nothing is sent; try again later")

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Shared:
    """What all sessions share.

    folder: for large mails. pool: threads that may wait for the real server. name: of this machine. can: what the real
    server can, empty until that is known.
    """

    settings: GateSettings
    block_list: BlockList
    record: GateRecord
    now: Callable[[], datetime]
    folder: Path
    pool: ThreadPoolExecutor
    name: str
    can: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Mail:
    """The mail under way: whom the real server has taken, and why the only one is refused unless the mail is marked."""

    started: bool = False
    recipients: list[str] = field(default_factory=list)
    waiting: Refusal | None = None


class Exchange:
    """One session's side towards the list and the real server."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.upstream = Upstream(shared.settings)

    def connect(self) -> Reply:
        """Connect to the real server, if that was not done yet, and note what it can."""
        try:
            can = self.upstream.connect()
        except UpstreamError as error:
            self._shared.record.problem(str(error))
            raise
        size = can.get("size", "")
        # No number, or 0, means that it sets no limit.
        most = min(int(size), MAX_SIZE) if size.isdecimal() and int(size) else MAX_SIZE
        self._shared.can = {**can, "size": str(most)}  # at once, since others read it
        self._shared.record.problem("")
        return Reply(250, b"")

    def begin(self, mail: Mail, sender: MailPath) -> Reply:
        """Answer MAIL."""
        self.connect()
        reply = self.upstream.mail(sender.line(b"MAIL FROM"))
        mail.started = reply.taken
        return reply

    def add(self, mail: Mail, recipient: MailPath, marked: bool) -> Reply:
        """Answer RCPT. marked: the tool marks its mail."""
        why = refusal(self._shared.block_list, recipient.address)
        if why and not marked:
            return self._refused(why)
        if why and mail.recipients:
            return ALONE
        reply = answer(self.upstream.command, recipient.line(b"RCPT TO"))
        if reply.taken:
            mail.recipients.append(recipient.address)
            mail.waiting = why
        else:
            self._shared.record.count("not_taken")
        return reply

    def send(self, mail: Mail, body: Body) -> Reply:
        """Answer the end of a mail."""
        if mail.waiting and kind_of(body.head) not in mail.waiting.still_allowed:
            return self._refused(mail.waiting)
        reply = _unfit(body) or answer(self.upstream.data, body.pieces())
        self._shared.record.count("sent" if reply.taken else "not_taken", len(mail.recipients))
        if reply.taken and mail.waiting:
            self._shared.record.count("marked")
        return reply

    def _refused(self, why: Refusal) -> Reply:
        self._shared.record.refused(why.key, self._shared.now())
        return said(f"550 5.7.1 {why}")


def answer(work: Callable[..., Reply], *arguments: object) -> Reply:
    """Return what a call says, or what the tool is answered where it fails."""
    try:
        return work(*arguments)
    except UpstreamError as error:
        log.warning("The real server cannot be used: %s", error)
        return error.reply
    except StorageError as error:
        log.warning("The gate refuses for the moment: %s", error)
        return _UNREADABLE


def _unfit(body: Body) -> Reply | None:
    if body.too_large:
        return TOO_LARGE
    if body.no_room:
        return said("452 4.3.1 the disk is full; try again later")
    if body.false_end:
        return said(
            "550 5.6.0 a line of the mail is a dot alone; end lines by CRLF, and double dots that begin them"
        )
    return None
