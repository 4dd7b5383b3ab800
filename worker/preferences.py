"""What the owner prefers for the whole program, as opposed to one account: ``preferences.json``.

Settings of the environment say how the program runs and need a restart; a preference is set on the page and takes
effect at its next use.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from worker.errors import BusyError, DamagedFileError, StorageError, UsageError
from worker.files import storage_error, write_atomically
from worker.settings import Settings

# A buyer who opted out a month ago still means it; and dates a hundred years back cannot always be computed.
FEWEST_DAYS, MOST_DAYS = 30, 36_500
# As for the environment's interval.
SHORTEST_INTERVAL, LONGEST_INTERVAL = 1, 86_400

_LOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What the owner prefers.

    expire_after_days: unblock a buyer so many days after the latest notice, 30 to 36,500; None for never.
    sync_interval: seconds between two passes, 1 to 86,400; None for what the environment says.
    Raises UsageError for any other number.
    """

    expire_after_days: int | None = None
    sync_interval: int | None = None

    def __post_init__(self) -> None:
        if not _fits(self.expire_after_days, FEWEST_DAYS, MOST_DAYS):
            raise UsageError(
                f"Blocks can expire after {FEWEST_DAYS} to {MOST_DAYS:,} days; leave the number out to keep them."
            )
        if not _fits(self.sync_interval, SHORTEST_INTERVAL, LONGEST_INTERVAL):
            raise UsageError(
                f"Mailboxes can be checked every {SHORTEST_INTERVAL} to {LONGEST_INTERVAL:,} seconds."
            )


def _fits(number: int | None, least: int, most: int) -> bool:
    # True is a number to Python, and 30.5 would never be equal to what was written.
    return number is None or (type(number) is int and least <= number <= most)


def sync_interval(settings: Settings) -> int:
    """Return the seconds between two passes that hold now: the owner's word, else the environment's.

    A damaged file must not stop the passes; whoever looks at the health reads of it.
    """
    try:
        return read_preferences(settings.data_dir).sync_interval or settings.sync_interval
    except StorageError:
        return settings.sync_interval


def read_preferences(directory: Path) -> Preferences:
    """Return the preferences of a data directory, the default ones before any were set.

    Names that this version does not know are left alone. Raises StorageError, DamagedFileError.
    """
    path = _path(directory)
    known = {field.name for field in fields(Preferences)}
    try:
        document = orjson.loads(path.read_bytes())
        return Preferences(**{name: value for name, value in document.items() if name in known})
    except FileNotFoundError:
        return Preferences()
    except OSError as error:
        raise storage_error("read", path, error) from error
    except (ValueError, AttributeError, UsageError) as error:
        raise DamagedFileError(
            f"{path} is damaged; put it back from a backup, or remove it and set your preferences again."
        ) from error


def change_preferences(directory: Path, change: Callable[[Preferences], Preferences]) -> Preferences:
    """Replace the preferences by what ``change`` makes of them, and return that; it is on disk then.

    Others that change something at the same time lose nothing. Raises what ``read_preferences`` raises, and
    BusyError when another process holds the file for too long.
    """
    path = _path(directory)
    try:
        with FileLock(directory / "preferences.lock", timeout=_LOCK_SECONDS, mode=0o600):
            after = change(read_preferences(directory))
            write_atomically(path, orjson.dumps(asdict(after), option=orjson.OPT_INDENT_2))
    except Timeout as error:
        raise BusyError(f"Another program is changing {path}; try again.") from error
    except OSError as error:
        raise storage_error("lock", path, error) from error
    return after


def _path(directory: Path) -> Path:
    return directory / "preferences.json"
