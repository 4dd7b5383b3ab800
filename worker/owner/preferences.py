"""What the owner prefers for the whole program, as opposed to one account.

Settings of the environment say how the program runs and need a restart; a preference is set on the page and takes
effect at its next use.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from worker.database import Database, stored
from worker.errors import StorageError, UsageError
from worker.settings import Settings

# A buyer who opted out a month ago still means it; and dates a hundred years back cannot always be computed.
MIN_DAYS, MAX_DAYS = 30, 36_500
# As for the environment's interval.
MIN_INTERVAL, MAX_INTERVAL = 1, 86_400

_KEY = "preferences"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What the owner prefers.

    expire_after_days: unblock a buyer so many days after the latest notice, 30 to 36,500; None for never.
    sync_interval: seconds between two passes, 1 to 86,400; None for what the environment says.
    language: of the page, such as ``de``; "" for what the browser asks for.
    summary_day: of the week's summary, 0 for Monday to 6; None for no summary.
    Raises UsageError for any other number.
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
    # True is a number to Python, and 30.5 would never be equal to what was written.
    return number is None or (type(number) is int and least <= number <= most)


def sync_interval(settings: Settings, database: Database) -> int:
    """Return the seconds between two passes that hold now: the owner's word, else the environment's.

    Preferences that cannot be read must not stop the passes; the health check reports them.
    """
    try:
        return read_preferences(database).sync_interval or settings.sync_interval
    except StorageError:
        return settings.sync_interval


def read_preferences(database: Database) -> Preferences:
    """Return the preferences, the default ones before any were set. Raises StorageError."""
    documents = database.documents("preferences")
    documents.expect(_to_preferences)
    return _to_preferences(documents.find(_KEY) or {})


def change_preferences(database: Database, change: Callable[[Preferences], Preferences]) -> Preferences:
    """Replace the preferences by what ``change`` makes of them, and return that; it is stored then."""
    with database.together():
        after = change(read_preferences(database))
        database.documents("preferences").put({_KEY: asdict(after)})
    return after
