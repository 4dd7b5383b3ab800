"""A data directory with something in every file, and ways to look into one."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from oauth_web.access.owners import Owners
from worker.block_list.block_list import BlockList
from worker.block_list.review import Review, ReviewItem
from worker.database import DATABASE, Database, open_database
from worker.gmail.credentials import Grant
from worker.notices.doubts import Doubt, Reason
from worker.operation import backup_file
from worker.owner.accounts import Accounts
from worker.sealing import open_sealer

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
EMAIL = "seller@gmail.com"
GRANT = Grant("1//refresh-token", "client-id", "client-secret", "https://oauth2.example/token")
PASSPHRASE = "staple of invented words"


def alias(number: int) -> str:
    """Return the alias of an invented buyer."""
    return f"buyer{number:010d}@marketplace.amazon.it"


@contextmanager
def opened(data_dir: Path) -> Iterator[Database]:
    """Open the database of a data directory, which is made if it is missing."""
    data_dir.mkdir(exist_ok=True)
    database = open_database(data_dir)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def accounts_of(data_dir: Path) -> Iterator[Accounts]:
    """Open the accounts with the key that is in the folder."""
    with opened(data_dir) as database:
        yield Accounts(database, open_sealer(data_dir, None))


def keys(data_dir: Path) -> list[str]:
    """Return the keys of all blocks."""
    with opened(data_dir) as database:
        return sorted(block.key for block in BlockList(database).blocks())


def block(data_dir: Path, *numbers: int) -> None:
    """Block invented buyers."""
    with opened(data_dir) as database:
        BlockList(database).block(map(alias, numbers), by="test")


def database_in(backup: Path) -> bytes:
    """Return the database in a backup that nothing seals, which holds no secret file."""
    line, _, database = gzip.decompress(backup_file.read(backup, passphrase=None).content).partition(b"\n")
    assert line == b"{}"
    return database


# Locks, and SQLite's own files while the database is open.
_PASSING = (".lock", ".db-wal", ".db-shm")


def content(data_dir: Path) -> dict[str, bytes]:
    """Return every file that is not a lock."""
    files = (path for path in data_dir.rglob("*") if path.is_file() and path.suffix not in _PASSING)
    return {path.relative_to(data_dir).as_posix(): path.read_bytes() for path in files}


def damage(data_dir: Path) -> None:
    """Make the database unreadable."""
    (data_dir / DATABASE).write_bytes(b"garbage\n" * 1000)


def fill(folder: Path) -> Path:
    """Make a data directory, and return it."""
    block(folder, 1, 2)
    with opened(folder) as database:
        BlockList(database).unblock(alias(2), by="test")
        accounts = Accounts(database, open_sealer(folder, None))
        accounts.connect(EMAIL, GRANT, now=NOW)
        accounts.update(EMAIL, last_good_pass=NOW, search_from=None)
        item = ReviewItem(
            account=EMAIL,
            gmail_id="1a",
            message_id="m",
            received_at=NOW,
            reason=Reason(Doubt.DMARC_FAILED),
        )
        Review(database).add([item])
        Owners(database).claim(EMAIL)
        database.documents("sessions").put({"name": {"sealed": "a-session"}})
    (folder / "client_secret.json").write_bytes(b'{"installed": {}}')
    (folder / "client_secret_7.example.com.json").write_bytes(b'{"installed": {}}')
    return folder
