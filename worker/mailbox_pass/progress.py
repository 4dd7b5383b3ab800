"""How a long task reports its progress."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a task is.

    done, total: in whatever the work counts. found: opt-outs so far. left: the time that it will still take.
    """

    done: int
    total: int
    found: int = 0
    left: timedelta | None = None


Watch = Callable[[Progress], None]


def unwatched(_: Progress) -> None:
    """Ignore progress."""
