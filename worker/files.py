"""Write private files atomically: a crash leaves the old file or the new one, never a part.

The steps: temporary file, fsync, rename, fsync of the directory. All files of the data directory except the database
are written by :func:`write_atomically`.
"""

import os
import secrets
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from worker.errors import StorageError
from worker.sentences import Sentence

# On Windows a rename fails while another process has the target open, usually for milliseconds.
_RENAME_ATTEMPTS = 50
_RENAME_PAUSE = 0.02  # seconds


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file atomically and durably, with mode 0600.

    Raises StorageError; then the old content is unchanged, and no temporary file remains.
    """
    write_chunks_atomically(path, (data,))


def write_chunks_atomically(path: Path, chunks: Iterable[bytes], *, keep_mode: bool = False) -> None:
    """Like :func:`write_atomically`, for content that does not fit into memory.

    keep_mode: a replaced file keeps its mode, and its owner if the system allows that.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    with at_work("write", path):
        try:
            _write_private(temporary, chunks)
            if keep_mode:
                _make_like(path, temporary)
            replace_file(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def make_private_directory(path: Path) -> None:
    """Create the directory and its parents if they are missing, with mode 0700. Raises StorageError."""
    with at_work("make the directory", path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_directory(path: Path) -> None:
    """Make renames in this directory durable. Not needed on Windows, which journals renames. Raises OSError."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)


def sync_file(descriptor: int) -> None:
    """Make the content of an open file durable. Raises OSError.

    On macOS fsync leaves data in the drive's cache; only F_FULLFSYNC survives a power failure, see fsync(2) there. Some
    network file systems do not support it.
    """
    if sys.platform == "darwin":
        import fcntl  # noqa: PLC0415 - Windows has none

        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def delete_file(path: Path) -> None:
    """Delete a file; a missing file is no error. Raises StorageError."""
    with at_work("delete", path):
        path.unlink(missing_ok=True)


@contextmanager
def at_work(verb: str, path: Path) -> Iterator[None]:
    """Raise StorageError for an OSError inside. verb: for the sentence, such as "write"."""
    try:
        yield
    except OSError as error:
        raise storage_error(verb, path, error) from error


def storage_error(verb: str, path: Path, error: OSError) -> StorageError:
    why = error.strerror or type(error).__name__
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return StorageError(
            "Cannot {verb} {path}: {why}; name a place in a folder that exists.",
            verb=Sentence(verb),
            path=path,
            why=why,
        )
    return StorageError(
        "Cannot {verb} {path}: {why}; free some space or check the permissions, then try again.",
        verb=Sentence(verb),
        path=path,
        why=why,
    )


def _write_private(path: Path, chunks: Iterable[bytes]) -> None:
    # O_EXCL: fails if somebody placed a link with this name. O_BINARY: Windows must not change newlines.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        sync_file(file.fileno())


def _make_like(old: Path, new: Path) -> None:
    try:
        found = old.stat()
    except FileNotFoundError:
        return
    if sys.platform != "win32":
        with suppress(PermissionError):
            os.chown(new, found.st_uid, found.st_gid)
    new.chmod(found.st_mode & 0o777)


def replace_file(source: Path, target: Path) -> None:
    """Rename source to target, which may exist; retry while the target is open on Windows. Raises OSError."""
    for attempt in range(_RENAME_ATTEMPTS):
        try:
            source.replace(target)
        except PermissionError:
            if sys.platform != "win32" or attempt == _RENAME_ATTEMPTS - 1:
                raise
            time.sleep(_RENAME_PAUSE)
        else:
            return
