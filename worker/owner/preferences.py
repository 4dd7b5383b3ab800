"""Preferences of the owner for the whole program, not for one account.

Environment variables need a restart; a preference is set on the page and takes effect at its next use.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from worker.database import Database, stored
from worker.errors import StorageError, UsageError
from worker.settings import Settings

# At least a month: an opt-out does not end sooner. At most a hundred years, so that dates can be computed.
MIN_DAYS, MAX_DAYS = 30, 36_500
# The same as in ``settings.py``.
MIN_INTERVAL, MAX_INTERVAL = 1, 86_400

_KEY = "preferences"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """expire_after_days: unblock a buyer so many days after the latest notice, 30 to 36,500; None for never.

    sync_interval: seconds between two passes, 1 to 86,400; None for the environment's.
    language: of the page, such as ``de``; "" for the browser's.
    summary_day: the day of the weekly summary, 0 for Monday to 6; None for no summary.
    Raises UsageError for other numbers.
    """

    expire_after_days: int | None = None
    sync_interval: int | None = None
    language: str = ""
    summary_day: int | None = 0

    def __post_init__(self) -> None:
        if not _fits(self.expire_after_days, MIN_DAYS, MAX_DAYS):
            raise UsageError(
                "Blocks can expire after {least} to {most} days; leave the number out to keep them.",
                least=MIN_DAYS,
                most=MAX_DAYS,
            )
        if not _fits(self.sync_interval, MIN_INTERVAL, MAX_INTERVAL):
            raise UsageError(
                "Mailboxes can be checked every {least} to {most} seconds.",
                least=MIN_INTERVAL,
                most=MAX_INTERVAL,
            )
        if not _fits(self.summary_day, 0, 6):
            raise UsageError("Choose a day of the week for the summary, or none.")


_to_preferences = partial(stored, Preferences)


def _fits(number: int | None, least: int, most: int) -> bool:
    # type() instead of isinstance(), since True is an int. No fractions: they do not survive storage.
    return number is None or (type(number) is int and least <= number <= most)


def sync_interval(settings: Settings, database: Database) -> int:
    """Return the current seconds between two passes: the owner's, else the environment's.

    Unreadable preferences must not stop the passes; the health check reports them.
    """
    try:
        return read_preferences(database).sync_interval or settings.sync_interval
    except StorageError:
        return settings.sync_interval


def read_preferences(database: Database) -> Preferences:
    """Return the preferences, by default the default ones. Raises StorageError."""
    documents = database.documents("preferences")
    documents.expect(_to_preferences)
    return _to_preferences(documents.find(_KEY) or {})


def change_preferences(database: Database, change: Callable[[Preferences], Preferences]) -> Preferences:
    """Apply ``change`` to the preferences in a transaction, and return the new ones."""
    with database.together():
        changed = change(read_preferences(database))
        database.documents("preferences").put({_KEY: asdict(changed)})
    return changed
