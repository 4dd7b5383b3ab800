"""Which blocks somebody asked for: most are ruled out before they are parsed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from worker.block_list.documents import format_time, to_block
from worker.block_list.merging import rounded_up
from worker.block_list.model import Block, Reason
from worker.block_list.state import last_seen_of, parse, reason_of


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted; None and the empty text want everything.

    since: last seen at this moment or later. q: part of the alias, an order ID or the note, in any case.
    """

    since: datetime | None = None
    reason: Reason | None = None
    account: str | None = None
    q: str = ""

    def of(self, raws: Iterable[bytes]) -> Iterator[Block]:
        """Yield the wanted blocks, in the order given."""
        for block in map(to_block, map(parse, self.of_raw(raws))):
            if (self.account is None or self.account in block.accounts) and self._is_about(block):
                yield block

    def of_raw(self, raws: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the raw blocks that are wanted by since and reason, and may be by the rest."""
        earliest = format_time(rounded_up(self.since)).encode() if self.since is not None else None
        account, words = _if_plain(self.account or ""), _if_plain(self._words)
        for raw in raws:
            if (
                (earliest is None or last_seen_of(raw) >= earliest)
                and (self.reason is None or reason_of(raw) == self.reason)
                and account in raw
                and (not words or words in raw.lower())
            ):
                yield raw

    @property
    def _words(self) -> str:
        return " ".join(self.q.casefold().split())

    def _is_about(self, block: Block) -> bool:
        return not (words := self._words) or any(
            words in text.casefold() for text in (block.address or "", *block.orders, block.note)
        )


def _if_plain(text: str) -> bytes:
    """Return text as raw JSON has it, or nothing, which is in every document, where that may differ.

    JSON escapes quotation marks and backslashes, and lower() leaves bytes beyond ASCII alone.
    """
    return text.encode() if text.isascii() and not set(text) & set('"\\') else b""
