"""Put a backup in place of what is there: checked completely first, then all of it or nothing.

A restore builds the new state in ``restore-<time>.new``. Once that has passed every check it is renamed to
``restore-<time>.pending``, and from then on the restore only goes forward: what it replaces is moved to
``restore-<time>.replaced``, the new files take its place. Stopped in the middle, ``finish_restore`` goes on from
there, and until then nobody opens the database.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from worker.database import DATABASE, Database, carry_over, close_for_good, open_copy
from worker.errors import BusyError, StorageError, UsageError
from worker.files import at_work, make_private_directory, replace_file, storage_error, sync_directory
from worker.operation import backup_file
from worker.operation.backup import KEY, copies
from worker.operation.unpacking import unpack

# What stays of the state before, where there is any: a token that was revoked must not come back to life, nor
# somebody who owned the page, while whoever owns it now is locked out. And of what problems the owner was notified.
_STAYS = ("tokens", "owners", "problems", "announcements")
# Files of this machine: a backup that somebody made up must not name any.
_NEVER_TAKEN = "published"
# The log of the old database must never lie beside the new one.
_DATABASE_FILES = (f"{DATABASE}-wal", f"{DATABASE}-shm", DATABASE)


_GOES_ON = "run it once more, or start buyerblock, to finish it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did. replaced: the folder with what was there before. with_key: the secret key came along."""

    created_at: datetime
    blocks: int
    accounts: tuple[str, ...]
    replaced: Path
    with_key: bool


def latest_copy(data_dir: Path) -> Path:
    """Return the newest daily copy. Raises UsageError if there is none."""
    if not (found := copies(data_dir)):
        raise UsageError("There is no daily copy in {data_dir}; name a backup file.", data_dir=data_dir)
    return found[-1]


def restore(source: Path, data_dir: Path, passphrase: str | None = None) -> Restored:
    """Replace the content of the data directory by a backup; what was there is kept in a folder in it.

    Every account then searches its mail from the time of the backup on, so that notices judged since are judged
    again. A secret key or client file that the backup does not hold stays as it is. So do the tokens of the HTTP API,
    the owners of the page, and of what problems the owner was notified, where there are any.

    Raises BusyError while a server runs or a command is at work, UsageError about the passphrase, DamagedFileError or
    StorageError about the file or the disk; nothing is replaced then.
    """
    make_private_directory(data_dir)
    with _no_server(data_dir):
        _finish(data_dir)
        restored = prepare_restore(source, data_dir, passphrase)
        try:
            _finish(data_dir)
        except StorageError as error:
            with at_work("restore into", data_dir):
                if restored.replaced.exists():
                    raise StorageError(
                        "{error} The restore has begun; {goes_on}", error=error, goes_on=_GOES_ON
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
    with _no_server(data_dir):
        _finish(data_dir)
    return True


@contextmanager
def _no_server(data_dir: Path) -> Iterator[None]:
    """Hold what a server holds, so that none starts in the meantime."""
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

    For the server itself, which cannot replace what it has open. Raises what ``restore`` raises, save BusyError.
    """
    opened = backup_file.read(source, passphrase=passphrase)
    with at_work("restore into", data_dir):
        for left_over in data_dir.glob("restore-*.new"):
            shutil.rmtree(left_over, ignore_errors=True)
    stamp = f"restore-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    work, pending = data_dir / f"{stamp}.new", data_dir / f"{stamp}.pending"
    files = work / "files"
    make_private_directory(files)
    try:
        blocks, accounts = unpack(source, opened, files)
        _keep(data_dir, files / DATABASE)
        with_key = (files / KEY).exists()
        sync_directory(files)
        replace_file(work, pending)
        sync_directory(data_dir)
    except OSError as error:
        with suppress(OSError):
            _discard(pending)  # what was refused must not be done at the next start
        raise storage_error("restore into", data_dir, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Restored(
        created_at=opened.created_at,
        blocks=blocks,
        accounts=accounts,
        replaced=data_dir / f"{stamp}.replaced",
        with_key=with_key,
    )


def _keep(data_dir: Path, new: Path) -> None:
    """Give the new database a name of its own, no sessions, and what stays of the present one, if that can be read."""
    kept: dict[str, dict[str, dict[str, object]]] = {_NEVER_TAKEN: {}}
    try:
        with closing(open_copy(data_dir / DATABASE)) as present, closing(open_copy(new)) as copy:
            # Of the same history even an empty table says something: the last token may have been revoked since.
            same = _origin(present) == _origin(copy)
            found = {
                name: {str(it.doc_id): dict(it) for it in present.documents(name)}
                for name in (*_STAYS, _NEVER_TAKEN)
            }
            kept |= {name: documents for name, documents in found.items() if documents or same}
    except BusyError:
        raise
    except StorageError:
        pass  # damaged or missing: then a restore is needed most
    carry_over(new, kept)


def _origin(database: Database) -> object:
    """Return what a database shares with all that were restored from its backups."""
    return next(database.events(), None) or database.engine.lineage


def _finish(data_dir: Path) -> None:
    with at_work("restore into", data_dir):
        for pending in sorted(data_dir.glob("restore-*.pending")):
            _swap(data_dir, pending)


def _swap(data_dir: Path, pending: Path) -> None:
    """It may be interrupted at every step: the next call then goes on. The database is the last to take its place."""
    new, replaced = pending / "files", pending.with_suffix(".replaced")
    # What is still to be put in place says what is still old.
    coming = sorted((path.name for path in new.iterdir()), key=lambda name: name == DATABASE)
    if DATABASE in coming:
        _close_present(data_dir)
    make_private_directory(replaced)
    for name in (*coming, *(_DATABASE_FILES if DATABASE in coming else ())):
        if (data_dir / name).exists() and not (replaced / name).exists():
            replace_file(data_dir / name, replaced / name)
    sync_directory(replaced)
    for name in coming:
        replace_file(new / name, data_dir / name)
    sync_directory(data_dir)
    _discard(pending)


def _close_present(data_dir: Path) -> None:
    """Make sure that nobody has the present database open: what they store from now on would be lost."""
    try:
        close_for_good(data_dir / DATABASE)
    except BusyError as error:
        raise BusyError(
            "Another buyerblock is at work in {data_dir}; nothing was changed, try again when it is done.",
            data_dir=data_dir,
        ) from error
    except StorageError:
        pass  # damaged or missing: nobody can work with it


def _discard(pending: Path) -> None:
    """Delete a restore. Deleted piece by piece it must not look like one that goes on."""
    done = pending.with_suffix(".new")
    replace_file(pending, done)
    shutil.rmtree(done, ignore_errors=True)
