"""Restore a backup: check it completely, then replace everything or nothing.

A restore builds the new state in ``restore-<time>.new``. After all checks it renames the folder to
``restore-<time>.pending``. From then on it only goes forward: it moves the current files to
``restore-<time>.replaced`` and puts the new ones in their place. If it is interrupted, ``finish_restore`` continues,
and until then nobody opens the database.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from worker.database import DATABASE, Database, close_for_good, open_copy, prepare_replacement
from worker.errors import BusyError, StorageError, UsageError
from worker.files import at_work, make_private_directory, replace_file, storage_error, sync_directory
from worker.operation import backup_file
from worker.operation.backup import KEY, copies
from worker.operation.unpacking import unpack

# Tables that a restore does not replace: it must not revive revoked tokens or former owners, lock out current owners,
# or report known problems again.
_KEPT_TABLES = ("tokens", "owners", "problems", "announcements")
# Names files of this machine, which a forged backup must not choose.
_NEVER_RESTORED = "published"
# The write-ahead log of the old database must never be next to the new one.
_DATABASE_FILES = (f"{DATABASE}-wal", f"{DATABASE}-shm", DATABASE)

_HOW_TO_FINISH = "run it once more, or start buyerblock, to finish it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did. replaced: the folder with the former files. with_key: the backup contained the secret key."""

    created_at: datetime
    blocks: int
    accounts: tuple[str, ...]
    replaced: Path
    with_key: bool


def latest_copy(data_dir: Path) -> Path:
    """Return the newest daily backup. Raises UsageError if there is none."""
    if not (found := copies(data_dir)):
        raise UsageError("There is no daily copy in {data_dir}; name a backup file.", data_dir=data_dir)
    return found[-1]


def restore(source: Path, data_dir: Path, passphrase: str | None = None) -> Restored:
    """Replace the content of the data directory by a backup; move the former content to a folder in it.

    Every account then searches its mail since the backup, so that notices judged later are judged again. A secret key
    or client file stays if the backup does not contain one. Tokens of the HTTP API, owners of the page and reported
    problems stay too, if there are any.

    Raises BusyError while a server or a command runs, UsageError about the passphrase, DamagedFileError or
    StorageError about the file or the disk; then nothing was replaced.
    """
    make_private_directory(data_dir)
    with _server_lock(data_dir):
        _finish(data_dir)
        restored = prepare_restore(source, data_dir, passphrase)
        try:
            _finish(data_dir)
        except StorageError as error:
            with at_work("restore into", data_dir):
                if restored.replaced.exists():
                    raise StorageError(
                        "{error} The restore has begun; {goes_on}", error=error, goes_on=_HOW_TO_FINISH
                    ) from error
                _discard(restored.replaced.with_suffix(".pending"))
            raise
    return restored


def finish_restore(data_dir: Path) -> bool:
    """Finish a restore that was interrupted; return whether there was one. Raises BusyError and StorageError."""
    with at_work("look into", data_dir):
        pending = any(data_dir.glob("restore-*.pending"))
    if not pending:
        return False
    with _server_lock(data_dir):
        _finish(data_dir)
    return True


@contextmanager
def _server_lock(data_dir: Path) -> Iterator[None]:
    """Hold the server's lock, so that no server starts meanwhile. Raises BusyError if one runs."""
    try:
        with FileLock(data_dir / "serve.lock").acquire(blocking=False):
            yield
    except Timeout as error:
        raise BusyError(
            "buyerblock is serving {data_dir}; stop it first, or restore on its page, under Settings.",
            data_dir=data_dir,
        ) from error
    except OSError as error:
        raise storage_error("restore into", data_dir, error) from error


def prepare_restore(source: Path, data_dir: Path, passphrase: str | None) -> Restored:
    """Check a backup and stage its content for ``finish_restore``, which the next start calls.

    For the server, which cannot replace files that it has open. Raises the errors of ``restore`` except BusyError.
    """
    opened = backup_file.read(source, passphrase=passphrase)
    with at_work("restore into", data_dir):
        for left_over in data_dir.glob("restore-*.new"):
            shutil.rmtree(left_over, ignore_errors=True)
    stamp = f"restore-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    staged, pending = data_dir / f"{stamp}.new", data_dir / f"{stamp}.pending"
    files = staged / "files"
    make_private_directory(files)
    try:
        blocks, accounts = unpack(source, opened, files)
        _keep_current_tables(data_dir, files / DATABASE)
        with_key = (files / KEY).exists()
        sync_directory(files)
        replace_file(staged, pending)
        sync_directory(data_dir)
    except OSError as error:
        with suppress(OSError):
            _discard(pending)  # otherwise the next start would do the failed restore
        raise storage_error("restore into", data_dir, error) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Restored(
        created_at=opened.created_at,
        blocks=blocks,
        accounts=accounts,
        replaced=data_dir / f"{stamp}.replaced",
        with_key=with_key,
    )


def _keep_current_tables(data_dir: Path, new: Path) -> None:
    """Give the new database a new lineage, no sessions, and the kept tables of the current one, if it is readable."""
    kept: dict[str, dict[str, dict[str, object]]] = {_NEVER_RESTORED: {}}
    try:
        with closing(open_copy(data_dir / DATABASE)) as current, closing(open_copy(new)) as copy:
            # With the same origin even an empty table is kept: the last token may have been revoked.
            same_origin = _origin(current) == _origin(copy)
            found = {
                name: {str(it.doc_id): dict(it) for it in current.documents(name)}
                for name in (*_KEPT_TABLES, _NEVER_RESTORED)
            }
            kept |= {name: documents for name, documents in found.items() if documents or same_origin}
    except BusyError:
        raise
    except StorageError:
        pass  # damaged or missing: a common reason to restore
    prepare_replacement(new, kept)


def _origin(database: Database) -> object:
    """Return a value that a database shares with all databases restored from its backups."""
    return next(database.events(), None) or database.engine.lineage


def _finish(data_dir: Path) -> None:
    with at_work("restore into", data_dir):
        for pending in sorted(data_dir.glob("restore-*.pending")):
            _swap(data_dir, pending)


def _swap(data_dir: Path, pending: Path) -> None:
    """Replace the files, the database last. After an interruption at any step the next call continues."""
    new, replaced = pending / "files", pending.with_suffix(".replaced")
    # Files that are still here were not swapped yet.
    remaining = sorted((path.name for path in new.iterdir()), key=lambda name: name == DATABASE)
    if DATABASE in remaining:
        _close_current(data_dir)
    make_private_directory(replaced)
    for name in (*remaining, *(_DATABASE_FILES if DATABASE in remaining else ())):
        if (data_dir / name).exists() and not (replaced / name).exists():
            replace_file(data_dir / name, replaced / name)
    sync_directory(replaced)
    for name in remaining:
        replace_file(new / name, data_dir / name)
    sync_directory(data_dir)
    _discard(pending)


def _close_current(data_dir: Path) -> None:
    """Make sure that nobody has the current database open: their changes would be lost."""
    try:
        close_for_good(data_dir / DATABASE)
    except BusyError as error:
        raise BusyError(
            "Another buyerblock is at work in {data_dir}; nothing was changed, try again when it is done.",
            data_dir=data_dir,
        ) from error
    except StorageError:
        pass  # damaged or missing: nobody can use it


def _discard(pending: Path) -> None:
    # Renamed first: a half deleted folder must not look like a pending restore.
    done = pending.with_suffix(".new")
    replace_file(pending, done)
    shutil.rmtree(done, ignore_errors=True)
