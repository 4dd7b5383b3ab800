"""Put a backup in place of what is there: checked completely first, then all of it or nothing.

A restore builds the whole new state in ``restore-<time>.new``. Once that has passed every check it is renamed to
``restore-<time>.pending``, and from then on the restore only goes forward: what it replaces is
moved to ``restore-<time>.replaced``, the new files take its place. Stopped in the middle, ``finish_restore`` goes on
from there, and until then the block list refuses to answer.
"""

import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from filelock import FileLock, Timeout

from worker.block_list.layout import Layout
from worker.errors import BusyError
from worker.files import make_private_directory, replace_file, storage_error, sync_directory, write_atomically
from worker.operation import backup_file
from worker.operation.backup import KEY, LOCKS, SECRETS, locked
from worker.operation.unpacking import unpack

# All that makes up the state. Sessions and what is remembered of single mails belong to the state that goes.
_STATE = ("*.json", "blocks.*", "audit.*", "*.damaged-*", "sessions.sealed", "judged", "unresolved")
# What a backup does not hold stays, and so does who may enter: a token that was revoked must not come back to life,
# nor somebody who owned the page, while whoever owns it now is locked out. And what the owner was told of problems is
# not told again.
_STAYS = ("tokens.json", "owners.json", "told.json", "announcements.json")
_PLAN = "replaced.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did. replaced: the folder with what was there before. with_key: the secret key came along."""

    created_at: datetime
    blocks: int
    accounts: tuple[str, ...]
    replaced: Path
    with_key: bool


def restore(source: Path, data_dir: Path, passphrase: str | None = None) -> Restored:
    """Replace the content of the data directory by a backup; what was there is kept in a folder in it.

    Every account then searches its mail from the time of the backup on, so that notices judged since
    are judged again. A secret key or client file that the backup does not hold stays as it is. So do
    the tokens of the HTTP API, the owners of the page, and what the owner was told of problems, where there are any.

    Raises BusyError while a server runs, UsageError about the passphrase, DamagedFileError or StorageError
    about the file or the disk; nothing is replaced then.
    """
    make_private_directory(data_dir)
    with _no_server(data_dir):
        _finish(data_dir)
        restored = prepare_restore(source, data_dir, passphrase)
        _finish(data_dir)
    return restored


def finish_restore(data_dir: Path) -> bool:
    """Finish a restore that was interrupted; return whether there was one. Raises BusyError and StorageError."""
    if not any(data_dir.glob("restore-*.pending")):
        return False
    with _no_server(data_dir):
        _finish(data_dir)
    return True


def _no_server(data_dir: Path) -> AbstractContextManager[object]:
    """Hold what a server holds, so that none starts in the meantime."""
    try:
        return FileLock(data_dir / "serve.lock").acquire(blocking=False)
    except Timeout as error:
        raise BusyError(
            f"buyerblock is serving {data_dir}; stop it first, or restore on its page, under Settings."
        ) from error


# --- the new state, beside the old one


def prepare_restore(source: Path, data_dir: Path, passphrase: str | None) -> Restored:
    """Check a backup and lay its content ready for ``finish_restore``, which the next start calls.

    For the server itself, which cannot replace what it has open. Raises what ``restore`` raises, save BusyError.
    """
    opened = backup_file.read(source, passphrase=passphrase)
    for left_over in data_dir.glob("restore-*.new"):
        shutil.rmtree(left_over, ignore_errors=True)
    stamp = f"restore-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    work = data_dir / f"{stamp}.new"
    files = work / "files"
    make_private_directory(files)
    try:
        blocks, accounts = unpack(source, opened, files)
        for lock in files.glob("*.lock"):
            lock.unlink()
        for name in _STAYS:
            if (data_dir / name).exists():
                (files / name).unlink(missing_ok=True)
        with_key = (files / KEY).exists()
        sync_directory(files)
        replace_file(work, data_dir / f"{stamp}.pending")
        sync_directory(data_dir)
    except OSError as error:
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


# --- in place of the old one


def _finish(data_dir: Path) -> None:
    for pending in sorted(data_dir.glob("restore-*.pending")):
        with locked(data_dir, (*LOCKS, "blocks.lock")):
            try:
                _swap(data_dir, pending)
            except OSError as error:
                raise storage_error("restore into", data_dir, error) from error


def _swap(data_dir: Path, pending: Path) -> None:
    """Every step may be the last: the next call then goes on."""
    incomplete, plan, replaced = (
        Layout(data_dir).incomplete,
        pending / _PLAN,
        pending.with_suffix(".replaced"),
    )
    if not plan.exists():
        write_atomically(plan, orjson.dumps(_to_replace(data_dir, pending / "files")))
    write_atomically(
        incomplete, b"A restore was interrupted; run `buyerblock restore` once more to finish it.\n"
    )
    make_private_directory(replaced)
    for name in orjson.loads(plan.read_bytes()):
        if not (replaced / name).exists():
            replace_file(data_dir / name, replaced / name)
    sync_directory(replaced)
    for path in (pending / "files").iterdir():
        replace_file(path, data_dir / path.name)
    sync_directory(data_dir)
    incomplete.unlink()
    # Deleted piece by piece it must not look like a restore that goes on.
    done = pending.with_suffix(".new")
    replace_file(pending, done)
    shutil.rmtree(done, ignore_errors=True)


def _to_replace(data_dir: Path, new: Path) -> list[str]:
    """Return the names of all that makes up the old state, without what stays because nothing replaces it."""
    old = {path.name for pattern in (*_STATE, *SECRETS) for path in data_dir.glob(pattern)}
    may_stay = {path.name for pattern in (*SECRETS, *_STAYS) for path in data_dir.glob(pattern)}
    stays = {name for name in may_stay if not (new / name).exists()}
    return sorted(old - stays - {"blocks.lock", Layout(data_dir).incomplete.name})
