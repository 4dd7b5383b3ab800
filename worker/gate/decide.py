"""Which recipients are refused, and why; what a mail says of its kind. No network, no clock."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from worker.block_list import BlockList, parse_key
from worker.block_list.model import ALL_KINDS, MessageKind, refusal_text
from worker.errors import UsageError
from worker.notices.headers import HEAD_LIMIT, decode_words, read_head

KIND_HEADER = "X-Buyerblock-Kind"
# Amazon's, in the languages in which its notices have shown it.
_MARKS = ("[important]", "[importante]")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a recipient is refused. key: the buyer in canonical spelling. since: when that was first known, if it is."""

    key: str
    since: date | None
    still_allowed: tuple[MessageKind, ...]

    def __str__(self) -> str:
        return refusal_text(self.key, self.since)


def refusal(block_list: BlockList, recipient: str) -> Refusal | None:
    """Return why an address must not be written to, None if it may. Raises StorageError."""
    try:
        key = parse_key(_plain(recipient))
    except UsageError:
        return None  # no buyer, so on no list
    # Most are not on it, and that costs least to find out.
    (result,) = block_list.look_up([(key.text, key)])
    if not result.blocked:
        return None
    block = block_list.get(key.text)
    return Refusal(key.text, block.first_seen.date() if block else None, result.still_allowed)


def kind_of(head: bytes) -> MessageKind:
    """Return what kind a mail says it is. head: how it begins, with its header block."""
    fields = read_head(head[:HEAD_LIMIT])
    named = fields.first(KIND_HEADER).strip().lower()
    for kind in ALL_KINDS:
        if named == kind:
            return kind
    marked = decode_words(fields.first("Subject")).strip().lower().startswith(_MARKS)
    return "critical" if marked else "unsolicited"


def _plain(recipient: str) -> str:
    """Return an address without what changes its spelling only: quotes, a final dot, wide letters and dots."""
    narrow = unicodedata.normalize("NFKC", recipient).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    local, at, domain = narrow.rpartition("@")
    if local.startswith('"'):
        local = _ESCAPED.sub(r"\1", local[1:-1])
    return f"{local}{at}{domain.rstrip('.')}"
