"""Back up the data directory into one file, while the program runs.

A backup holds the database, copied as one whole state, without sessions: a restore must not bring an ended one back.
Only where a passphrase seals it, it holds ``secret.key`` and the client file as well. Permissions to read a mailbox
are sealed with that key in the database, as is the webhook's secret. So a backup without a passphrase opens no
mailbox for whoever finds it, and on another machine its accounts have to sign in again; on the machine that still
has its key they need not. Where BUYERBLOCK_SECRET_KEY is used, no backup holds it.

``restore.py`` is the way back; ``backup_file.py`` is the file itself. What that packs is gzip over one line of JSON
(the secret files by name, in Base64) and then the database.
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

from worker.database import COPIES, DATABASE, MOMENTARY, Database, empty_tables, open_database
from worker.errors import StorageError
from worker.files import at_work, delete_file, make_private_directory
from worker.operation import backup_file

KEY = "secret.key"
# Downloaded from Google's console the file is called client_secret_<number>-<letters>.
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
    """Write everything that is worth keeping to one file, whole or not at all; others may go on writing.

    passphrase: encrypts the file, which then also holds the secret key. database: the one that is open already.
    Raises StorageError, BusyError, and DamagedFileError where the database cannot be trusted.
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
            empty_tables(copy, MOMENTARY)
            _pack(copy, _secrets(data_dir) if passphrase is not None else {}, content)
            content.seek(0)
            backup_file.write(target, content, created_at=created_at, newest=newest, passphrase=passphrase)


def _pack(copy: Path, secrets: dict[str, str], content: BufferedIOBase) -> None:
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=6) as packed, copy.open("rb") as file:
        packed.write(orjson.dumps(secrets) + b"\n")
        shutil.copyfileobj(file, packed, 1 << 20)


def _secrets(data_dir: Path) -> dict[str, str]:
    """Return the content of the secret files, by name, in Base64."""
    found = sorted({path for pattern in SECRETS for path in data_dir.glob(pattern)})
    return {path.name: b64encode(path.read_bytes()).decode() for path in found}


def rotate(data_dir: Path, keep: int = 7, *, now: datetime, database: Database | None = None) -> Path | None:
    """Keep a copy of each of the last days in ``backups/``; return today's copy if it was made just now.

    Once a day, the whole database is checked before. Older copies go only when today's is on disk. Raises what
    ``backup`` raises.
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
        # A clock that was set back made today's the oldest: it is the one that must not go.
        if path != today:
            delete_file(path)
    return today


def _delete_left_overs(data_dir: Path, now: datetime) -> None:
    """Delete what a backup that was killed has left; another one may be under way."""
    for folder in data_dir.glob(f"{_SCRATCH}*"):
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < (now - timedelta(days=1)).timestamp():
                shutil.rmtree(folder, ignore_errors=True)


def copies(data_dir: Path) -> list[Path]:
    """Return the daily copies, the oldest first."""
    return sorted(path for path in (data_dir / COPIES).glob("*") if _COPY.fullmatch(path.name))


def _opened(data_dir: Path, database: Database | None) -> AbstractContextManager[Database]:
    """Return the database that is open already, or open one for as long as it is used."""
    return nullcontext(database) if database is not None else closing(open_database(data_dir))
