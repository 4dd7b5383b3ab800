"""Back up the data directory into one file, while the program runs.

A backup contains a snapshot of the database without sessions: a restore must not revive an ended session. Only with a
passphrase it also contains ``secret.key`` and the client file. The permissions to read mailboxes and the webhook's
secret are encrypted with that key in the database. So nobody can open a mailbox with a backup without a passphrase, and
after its restore on another machine the accounts have to sign in again. If BUYERBLOCK_SECRET_KEY is used, no backup
contains the key.

``restore.py`` restores; ``backup_file.py`` is the file format. Its content is gzip over one line of JSON (the secret
files by name, in Base64) and then the database.
"""

import gzip
import re
import shutil
import tempfile
from base64 import b64encode
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from io import BufferedIOBase
from pathlib import Path

import orjson

from worker.database import COPIES, DATABASE, NOT_IN_BACKUPS, Database, empty_tables, open_database
from worker.errors import StorageError
from worker.files import at_work, delete_file, make_private_directory
from worker.operation import backup_file

KEY = "secret.key"
# Google's console names the client file client_secret_<number>-<letters>.json.
SECRETS = (KEY, "client_secret*.json")

_SCRATCH = ".backup-"
_COPY = re.compile(r"buyerblock-\d{4}-\d\d-\d\d\.backup")


def backup(
    data_dir: Path,
    target: Path,
    passphrase: str | None = None,
    *,
    now: datetime | None = None,
    database: Database | None = None,
) -> None:
    """Write a backup file atomically; others may write to the database meanwhile.

    passphrase: encrypts the file, which then also contains the secret key. database: if it is already open.
    Raises StorageError, BusyError, and DamagedFileError for a damaged database.
    """
    created_at = now or datetime.now(UTC)
    with at_work("back up", data_dir):
        if not data_dir.is_dir():
            raise StorageError(
                "There is nothing to back up: {data_dir} does not exist yet.", data_dir=data_dir
            )
        with (
            _opened(data_dir, database) as source,
            tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=data_dir) as folder,
            (Path(folder) / "packed").open("w+b") as content,
        ):
            copy = Path(folder) / DATABASE
            newest = (source.engine.lineage, source.engine.newest())
            source.backup(copy)
            empty_tables(copy, NOT_IN_BACKUPS)
            _pack(copy, _secrets(data_dir) if passphrase is not None else {}, content)
            content.seek(0)
            backup_file.write(target, content, created_at=created_at, newest=newest, passphrase=passphrase)


def _pack(copy: Path, secrets: dict[str, str], content: BufferedIOBase) -> None:
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=6) as packed, copy.open("rb") as file:
        packed.write(orjson.dumps(secrets) + b"\n")
        shutil.copyfileobj(file, packed, 1 << 20)


def _secrets(data_dir: Path) -> dict[str, str]:
    found = sorted({path for pattern in SECRETS for path in data_dir.glob(pattern)})
    return {path.name: b64encode(path.read_bytes()).decode() for path in found}


def rotate(data_dir: Path, keep: int = 7, *, now: datetime, database: Database | None = None) -> Path | None:
    """Keep the daily backups of the last days in ``backups/``; return today's if this call made it.

    The whole database is checked before, so once a day. Old copies are deleted only after today's is on disk. Raises
    the errors of ``backup``.
    """
    with at_work("keep a copy in", data_dir / COPIES):
        return _rotate(data_dir, keep, now, database)


def _rotate(data_dir: Path, keep: int, now: datetime, database: Database | None) -> Path | None:
    folder = data_dir / COPIES
    today = folder / f"buyerblock-{now.astimezone(UTC):%Y-%m-%d}.backup"
    if today.exists():
        return None
    _delete_left_overs(data_dir, now)
    with _opened(data_dir, database) as source:
        source.engine.check()
        make_private_directory(folder)
        backup(data_dir, today, now=now, database=source)
    for path in copies(data_dir)[:-keep]:
        # After the clock was set back, today's copy is the oldest; it must stay.
        if path != today:
            delete_file(path)
    return today


def _delete_left_overs(data_dir: Path, now: datetime) -> None:
    """Delete folders of killed backups. Younger ones may belong to a running backup."""
    for folder in data_dir.glob(f"{_SCRATCH}*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < (now - timedelta(days=1)).timestamp():
                shutil.rmtree(folder, ignore_errors=True)


def copies(data_dir: Path) -> list[Path]:
    """Return the daily backups, the oldest first."""
    return sorted(path for path in (data_dir / COPIES).glob("*") if _COPY.fullmatch(path.name))


def _opened(data_dir: Path, database: Database | None) -> AbstractContextManager[Database]:
    return nullcontext(database) if database is not None else closing(open_database(data_dir))
