"""Whether buyerblock can do its work right now, and if not, why: for ``/readyz``, ``status`` and monitors.

Unready is what keeps notices from becoming blocks. A warning that costs nothing yet, such as a forwarding
address that waits to be confirmed, stands with its account and does not count here.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from worker.accounts import Account
from worker.app import App
from worker.errors import StorageError
from worker.preferences import read_preferences, sync_interval

# A pass that is late by this much more than three intervals has not just been slow.
GRACE = timedelta(minutes=15)
# Room for a new snapshot of a million blocks beside the old one, and for the day's copy.
LEAST_FREE = 500_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Health:
    """Whether all is well. reasons: a sentence for each thing that is not."""

    ready: bool
    reasons: tuple[str, ...]


def free_bytes(path: Path) -> int:
    """Return how much more fits on the disk that path is on. Raises OSError."""
    return shutil.disk_usage(path).free


def health(app: App, now: datetime, *, free: Callable[[Path], int] = free_bytes) -> Health:
    """Look at everything that has to work. Costs one small write to the disk and no call of Gmail."""
    reasons = (*_storage(app, free), *_accounts(app, now))
    return Health(not reasons, reasons)


def _storage(app: App, free: Callable[[Path], int]) -> Iterator[str]:
    folder = app.settings.data_dir
    try:
        _try_to_write(folder)
        left = free(folder)
    except OSError as error:
        yield f"Nothing can be written to {folder}: {error.strerror or error}."
    else:
        if left < LEAST_FREE:
            yield f"The disk is nearly full: {left / 1e6:,.0f} MB are left for {folder}."
    for look in (app.block_list.__len__, app.review.items, lambda: read_preferences(folder)):
        try:
            look()
        except StorageError as error:
            yield str(error)


def _try_to_write(folder: Path) -> None:
    """Write as the program does: a full disk may let a file be made and refuse its content."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"can this be written?")
        file.flush()
        os.fsync(file.fileno())


def _accounts(app: App, now: datetime) -> Iterator[str]:
    try:
        accounts = app.accounts.all()
    except StorageError as error:
        yield str(error)
        return
    yield from app.accounts.problems()
    for account in accounts:
        if account.state == "sign_in_again":
            yield f"{account.email}: {account.problem or 'The sign-in has ended; please sign in again.'}"
        elif _is_late(account, app, now):
            yield f"{account.email}: {_since(account)}. {account.problem}".rstrip()


def _is_late(account: Account, app: App, now: datetime) -> bool:
    # Reading years of old mail is one pass of hours.
    if app.passes.progress(account.email) is not None:
        return False
    last = account.last_good_pass or account.connected_at
    return now - last > 3 * timedelta(seconds=sync_interval(app.settings)) + GRACE


def _since(account: Account) -> str:
    if account.last_good_pass is None:
        return "No pass has come to its end yet"
    return f"The last good pass began on {account.last_good_pass:%Y-%m-%d at %H:%M} UTC"
