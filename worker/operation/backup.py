"""Back up the data directory into one file, while the program runs.

What a backup holds:

=====================================  ================================================================
the block list and its audit trail     one whole state, taken through the block list itself
every ``*.json`` beside it             accounts, review list, owners, ... as of one moment
``secret.key``, ``client_secret*``     only where a passphrase seals the backup
sessions, caches, locks, local copies  never: a restore must not bring an ended session back
=====================================  ================================================================

Permissions to read a mailbox stand in ``accounts.json`` sealed with the secret key, as does the webhook's secret
in its file. So a backup without a passphrase opens no mailbox for whoever finds it, and on another machine its
accounts have to sign in again; on the machine that still has its key they need not. Where
BUYERBLOCK_SECRET_KEY is used, no backup holds it.

``restore.py`` is the way back; ``backup_file.py`` is the file itself.
"""

import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from filelock import FileLock, Timeout

from worker.block_list.block_list import BlockList
from worker.errors import BusyError, StorageError
from worker.files import delete_file, make_private_directory, storage_error
from worker.operation import backup_file

BLOCKS = "blocks.json"
AUDIT = "audit.ndjson"
KEY = "secret.key"
# Downloaded from Google's console the file is called client_secret_<number>-<letters>.
SECRETS = (KEY, "client_secret*.json")
# A store of its own lock belongs here: both directions hold them all, in this order.
LOCKS = ("accounts.lock", "owners.lock", "preferences.lock", "review.lock", "tokens.lock", "webhook.lock")

_COPIES = "backups"
_COPY = re.compile(r"buyerblock-\d{4}-\d\d-\d\d\.backup")
_LOCK_SECONDS = 30.0


def backup(
    data_dir: Path,
    target: Path,
    passphrase: str | None = None,
    *,
    now: datetime | None = None,
    block_list: BlockList | None = None,
) -> None:
    """Write everything that is worth keeping to one file, whole or not at all; others may go on writing.

    passphrase: encrypts the file, which then also holds the secret key. block_list: the one that is open
    already, which saves reading it again. Raises StorageError, BusyError, and DamagedFileError
    where the block list itself cannot be trusted.
    """
    if not data_dir.is_dir():
        raise StorageError(f"There is nothing to back up: {data_dir} does not exist yet.")
    # The accounts first: with a list that is newer than they say, a restore searches too much mail, never too little.
    small = _small_files(data_dir, secrets=passphrase is not None)
    content = BytesIO()
    try:
        with tarfile.open(fileobj=content, mode="w:gz", compresslevel=6) as archive:
            for name, data in small:
                _add(archive, name, (data,), data_dir)
            blocks = block_list or BlockList(data_dir)
            _add(archive, AUDIT, blocks.audit(), data_dir)
            _add(archive, BLOCKS, blocks.backup(), data_dir)
    except OSError as error:
        raise storage_error("back up", data_dir, error) from error
    created_at = now or datetime.now(UTC)
    backup_file.write(target, content.getvalue(), created_at=created_at, passphrase=passphrase)


def rotate(
    data_dir: Path, keep: int = 7, *, now: datetime, block_list: BlockList | None = None
) -> Path | None:
    """Keep a copy of each of the last days in ``backups/``; return today's copy if it was made just now.

    The copies stay beside the secret key, so they hold none. Older ones go only when today's is on disk.
    Raises what ``backup`` raises.
    """
    folder = data_dir / _COPIES
    today = folder / f"buyerblock-{now.astimezone(UTC):%Y-%m-%d}.backup"
    if today.exists():
        return None
    make_private_directory(folder)
    backup(data_dir, today, now=now, block_list=block_list)
    copies = sorted(path for path in folder.iterdir() if _COPY.fullmatch(path.name))
    for path in copies[:-keep]:
        # A clock that was set back made today's the oldest: it is the one that must not go.
        if path != today:
            delete_file(path)
    return today


@contextmanager
def locked(data_dir: Path, names: Iterable[str]) -> Iterator[None]:
    """Hold the locks of these names. Raises BusyError when another program holds one for too long."""
    with ExitStack() as stack:
        for name in names:
            try:
                stack.enter_context(FileLock(data_dir / name, timeout=_LOCK_SECONDS, mode=0o600))
            except Timeout as error:
                raise BusyError(
                    f"Another program holds {data_dir / name}; try again when it is done."
                ) from error
            except OSError as error:
                raise storage_error("lock", data_dir / name, error) from error
        yield


def _small_files(data_dir: Path, *, secrets: bool) -> list[tuple[str, bytes]]:
    with locked(data_dir, LOCKS):
        secret = {path for pattern in SECRETS for path in data_dir.glob(pattern)}
        kept = {*data_dir.glob("*.json"), *secret} - {data_dir / BLOCKS, *(() if secrets else secret)}
        try:
            return [(path.name, path.read_bytes()) for path in sorted(kept)]
        except OSError as error:
            raise storage_error("read", data_dir, error) from error


def _add(archive: tarfile.TarFile, name: str, pieces: Iterable[bytes], scratch: Path) -> None:
    """Add a file of unknown length: a tar wants to know it before the content."""
    with tempfile.TemporaryFile(dir=scratch) as file:
        for piece in pieces:
            file.write(piece)
        member = tarfile.TarInfo(name)
        member.size = file.tell()
        file.seek(0)
        archive.addfile(member, file)
