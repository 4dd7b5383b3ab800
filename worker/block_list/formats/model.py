"""What an import found, and what it would do. Frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from worker.block_list.model import Block
from worker.sentences import Sentence

MAX_KEYS = 1_000_000
REJECTIONS_KEPT = 1_000
UNDATED = datetime.min.replace(tzinfo=UTC)
"""The time of a block that an import brings without one; that of the import takes its place."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line that holds no key. problem: one sentence."""

    line: int
    problem: Sentence


@dataclass(slots=True)
class Found:
    """What is in a file, before anyone looks at the block list.

    keys: each key once, with a whole block where the file has more than the key. pairs: order IDs and the aliases
    they belong to, which block nobody. rejected holds the first thousand only.
    """

    format: str
    keys: dict[str, Block | None] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0

    def reject(self, line: int, problem: Sentence) -> None:
        """Remember a line that holds no key."""
        self.rejected_count += 1
        if len(self.rejected) < REJECTIONS_KEPT:
            self.rejected.append(Rejection(line, problem))


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do with what it found.

    adds, known, unblocked: keys. An unblocked one stays unblocked: only a newer notice or a person blocks it
    again. resolves: orders that are known alone, or not yet as the buyer's, with the alias that the file has
    for them.
    """

    found: Found
    adds: Sequence[str]
    known: Sequence[str]
    unblocked: Sequence[str]
    resolves: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Import:
    """An import that was made. undone_at is None unless it was undone."""

    id: str
    at: datetime
    by: str
    source: str
    added: int
    resolved: int
    undone_at: datetime | None = None
