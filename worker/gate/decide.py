"""Which recipients are refused and why; the kind of a mail. No network, no clock."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from worker.block_list import BlockList, parse_key
from worker.block_list.model import ALL_KINDS, MessageKind, refusal_text
from worker.errors import UsageError
from worker.notices.headers import HEAD_LIMIT, decode_words, read_head

KIND_HEADER = "X-Buyerblock-Kind"
# Amazon's marks, in the languages of known notices.
_SUBJECT_MARKS = ("[important]", "[importante]")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a recipient is refused. key: the buyer's canonical key. since: the day of the first notice, if known."""

    key: str
    since: date | None
    still_allowed: tuple[MessageKind, ...]

    def __str__(self) -> str:
        return refusal_text(self.key, self.since)


def refusal(block_list: BlockList, recipient: str) -> Refusal | None:
    """Return why a recipient is refused, None if it is allowed. Raises StorageError."""
    try:
        key = parse_key(_normalized(recipient))
    except UsageError:
        return None  # not a buyer
    # Most are not blocked; this is the cheapest check for them.
    (result,) = block_list.look_up([(key.text, key)])
    if not result.blocked:
        return None
    block = block_list.get(key.text)
    return Refusal(key.text, block.first_seen.date() if block else None, result.still_allowed)


def kind_of(head: bytes) -> MessageKind:
    """Return the kind that a mail claims. head: its first bytes, with the header block."""
    fields = read_head(head[:HEAD_LIMIT])
    named = fields.first(KIND_HEADER).strip().lower()
    for kind in ALL_KINDS:
        if named == kind:
            return kind
    marked = decode_words(fields.first("Subject")).strip().lower().startswith(_SUBJECT_MARKS)
    return "critical" if marked else "unsolicited"


def _normalized(recipient: str) -> str:
    """Return an address without quotes, final dot, and full-width characters, which do not change its meaning."""
    narrow = unicodedata.normalize("NFKC", recipient).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    local, at, domain = narrow.rpartition("@")
    if local.startswith('"'):
        local = _ESCAPED.sub(r"\1", local[1:-1])
    return f"{local}{at}{domain.rstrip('.')}"
