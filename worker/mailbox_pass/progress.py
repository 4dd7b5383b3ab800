"""How a long task reports its progress, and where that of a pass is kept: with the account, for every process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.owner.accounts import Account

STORED_EVERY = timedelta(seconds=2)
# What is not heard of for longer waits for Gmail, or has died with its process.
SILENT = timedelta(minutes=5)


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


def stored(progress: Progress) -> dict[str, int]:
    """Return what is kept of it with the account; left in seconds."""
    left = progress.left or timedelta()
    return {
        "done": progress.done,
        "total": progress.total,
        "found": progress.found,
        "left": round(left.total_seconds()),
    }


def under_way(account: Account, now: datetime) -> Progress | None:
    """Return how far the pass over an account is, in whatever process; None if none is heard of."""
    kept, at = account.progress, account.progress_at
    if kept is None or at is None or now - at > SILENT:
        return None
    done, total, found, left = (kept.get(it, 0) for it in ("done", "total", "found", "left"))
    return Progress(done=done, total=total, found=found, left=timedelta(seconds=left))
