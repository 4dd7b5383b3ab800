"""The content of an import file, and what its import does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from worker.block_list.model import Block
from worker.sentences import Sentence

MAX_KEYS = 1_000_000
REJECTIONS_KEPT = 1_000
UNDATED = datetime.min.replace(tzinfo=UTC)
"""Placeholder for a block without a time in the file; the import replaces it by the time of the import."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line without a key."""

    line: int
    problem: Sentence


@dataclass(slots=True)
class Found:
    """The content of a file, not yet compared with the block list.

    keys: each key once, with a block if the file has more than the key. pairs: order IDs and their aliases, from an
    order report; they block nobody. rejected: at most REJECTIONS_KEPT.
    """

    format: str
    keys: dict[str, Block | None] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0

    def reject(self, line: int, problem: Sentence) -> None:
        self.rejected_count += 1
        if len(self.rejected) < REJECTIONS_KEPT:
            self.rejected.append(Rejection(line, problem))


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do.

    adds, known, unblocked: keys. An unblocked key stays unblocked: only a newer notice or a person blocks it again.
    resolves: aliases by order, for orders that the list has without a buyer, or that are new for a known buyer.
    """

    found: Found
    adds: Sequence[str]
    known: Sequence[str]
    unblocked: Sequence[str]
    resolves: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Import:
    """A completed import. undone_at: None unless it was undone."""

    id: str
    at: datetime
    by: str
    source: str
    added: int
    resolved: int
    undone_at: datetime | None = None
