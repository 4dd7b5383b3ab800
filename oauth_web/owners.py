"""Whose page this is: the Google accounts that may sign in."""

from pathlib import Path

import orjson
from filelock import FileLock

from worker.errors import DamagedFileError
from worker.files import storage_error, write_atomically


class Owners:
    """The owners, in ``owners.json``. Raises StorageError; a damaged file never makes the page ownerless."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "owners.json"
        self._lock = FileLock(directory / "owners.lock")

    def all(self) -> frozenset[str]:
        """Return the addresses of the owners, lower case; none before the first sign-in."""
        try:
            document = orjson.loads(self._path.read_bytes())
            return frozenset(str(owner) for owner in document["owners"])
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise storage_error("read", self._path, error) from error
        except (ValueError, LookupError, TypeError) as error:
            raise DamagedFileError(
                f"{self._path} is damaged; put it back from a backup, or remove it to claim the page anew."
            ) from error

    def claim(self, email: str) -> bool:
        """Make this account the owner if there is none; return whether it is an owner now."""
        with self._lock:
            owners = self.all()
            if not owners:
                owners = frozenset({email})
                write_atomically(self._path, orjson.dumps({"owners": sorted(owners)}))
        return email in owners
