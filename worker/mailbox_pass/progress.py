"""Progress of long tasks. That of a pass is stored with the account, so that every process can show it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.owner.accounts import Account

STORED_EVERY = timedelta(seconds=2)
# After this time without progress a pass waits for Gmail, or died with its process.
STALE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """done, total: in the unit of the task. found: opt-outs so far. left: estimated remaining time."""

    done: int
    total: int
    found: int = 0
    left: timedelta | None = None


Watch = Callable[[Progress], None]


def unwatched(_: Progress) -> None:
    pass


def stored(progress: Progress) -> dict[str, int]:
    """Return the record that is stored with the account. left: in seconds."""
    left = progress.left or timedelta()
    return {
        "done": progress.done,
        "total": progress.total,
        "found": progress.found,
        "left": round(left.total_seconds()),
    }


def under_way(account: Account, now: datetime) -> Progress | None:
    """Return the progress of the running pass over an account, in any process; None without one."""
    record, at = account.progress, account.progress_at
    if record is None or at is None or now - at > STALE_AFTER:
        return None
    done, total, found, left = (record.get(it, 0) for it in ("done", "total", "found", "left"))
    return Progress(done=done, total=total, found=found, left=timedelta(seconds=left))
