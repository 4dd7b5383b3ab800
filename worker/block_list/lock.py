"""One writer at a time, among threads and processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from worker.errors import BusyError
from worker.files import make_private_directory, storage_error

_SECONDS = 30.0  # the longest transaction, an import of a million keys, takes less


class WriteLock:
    """A lock file; the same thread may take it again while it holds it.

    Threads that share one object have to take turns by other means.
    """

    def __init__(self, path: Path, *, seconds: float = _SECONDS) -> None:
        self._path = path
        self._seconds = seconds
        self._lock = FileLock(path, timeout=seconds, mode=0o600, thread_local=False)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock. Raises BusyError if others hold it for too long, StorageError if the disk fails."""
        make_private_directory(self._path.parent)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise BusyError(
                f"Another program has been writing to {self._path.parent} for {self._seconds:.0f} seconds; "
                "try again when it is done."
            ) from error
        except OSError as error:
            raise storage_error("lock", self._path, error) from error
        try:
            yield
        finally:
            self._lock.release()
