"""Judge mail files without Gmail; the verdicts are the same as in a mailbox."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from worker.block_list.block_list import BlockList
from worker.block_list.documents import storable
from worker.block_list.model import Sighting
from worker.block_list.review import sighting_of
from worker.mail_files.model import NotRead, WhyNot
from worker.mail_files.reading import messages
from worker.notices.judge import judge
from worker.notices.model import OptOut, Suspect, Unrelated, Verdict

# The account name of blocks from files.
FILES = "files"
# The number of opt-outs that are stored in one transaction.
DURABLE_EVERY = 500

_WORDS = {OptOut: "opt_out", Suspect: "suspect", Unrelated: "unrelated", NotRead: "not_read"}


@dataclass(frozen=True, slots=True)
class ScannedMail:
    """One mail of a file, or a file that was not read. source: see ``messages``. size: in bytes."""

    source: str
    verdict: Verdict | NotRead
    size: int

    def as_json(self) -> dict[str, Any]:
        """Return the line of ``scan --json``; unknown fields are null."""
        clues = {
            name: getattr(self.verdict, name, None)
            for name in ("address", "order_id", "marketplace", "language")
        }
        return {"source": storable(self.source), "verdict": self.word, "reason": self.reason} | clues

    @property
    def word(self) -> str:
        return _WORDS[type(self.verdict)]

    @property
    def passed_over(self) -> bool:
        """Whether it is a file in a folder or an archive without a mail file's name."""
        return isinstance(self.verdict, NotRead) and self.verdict.why is WhyNot.OTHER_NAME

    @property
    def reason(self) -> str | None:
        match self.verdict:
            case OptOut():
                return None
            case Suspect(reason=reason):
                return str(reason)
            case NotRead(why=why):
                return why.value
            case verdict:
                return verdict.kind.value


def scan(
    paths: Iterable[Path], *, trusted: Container[str], redirectors: Container[str], authserv_id: str
) -> Iterator[ScannedMail]:
    """Judge every mail in these files and folders, one at a time. Raises UsageError if a file cannot be read."""
    for path in paths:
        for found in messages(path):
            if isinstance(found, NotRead):
                yield ScannedMail(found.source, found, 0)
                continue
            verdict = judge(found.raw, trusted=trusted, redirectors=redirectors, authserv_id=authserv_id)
            yield ScannedMail(found.source, verdict, len(found.raw))


def blocking(found: Iterable[ScannedMail], block_list: BlockList, *, now: datetime) -> Iterator[ScannedMail]:
    """Yield everything, and block the opt-outs meanwhile; all are stored at the end of the iteration."""
    pending: list[Sighting] = []
    for it in found:
        if isinstance(it.verdict, OptOut):
            # A file does not contain the time of receipt; the Date header is Amazon's. A date in the future would
            # block the buyer again after every unblock.
            received_at = min(it.verdict.dated or now, now)
            pending.append(
                sighting_of(it.verdict, account=FILES, message_id=it.source, received_at=received_at)
            )
        if len(pending) >= DURABLE_EVERY:
            block_list.record(pending)
            pending.clear()
        yield it
    if pending:
        block_list.record(pending)
