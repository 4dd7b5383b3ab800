"""Unpack the content of a backup as untrusted data, and read all of it like the program does."""

import gzip
import re
import zlib
from base64 import b64decode
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from io import BytesIO
from pathlib import Path

import orjson

from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.database import DATABASE, Database, open_copy
from worker.database.schema import TABLES
from worker.errors import DamagedFileError, StorageError
from worker.files import write_atomically, write_chunks_atomically
from worker.gate.settings import StoredGate
from worker.mailbox_pass.missed import OVERLAP
from worker.operation.backup_file import Content
from worker.owner.accounts import BEGINNING, Account, Accounts
from worker.owner.preferences import read_preferences
from worker.owner.tokens import Tokens
from worker.sealing import Sealer
from worker.sentences import Sentence
from worker.webhook import Announcements

_SECRET = re.compile(r"secret\.key|client_secret[A-Za-z0-9._-]*\.json")
_MAX_SECRETS = 1_000_000  # bytes
_NO_GZIP = (gzip.BadGzipFile, zlib.error, EOFError)
# Real backups unpack to 6 to 30 times their size. The limit protects against a zip bomb.
_MAX_RATIO = 100
_MIN_LIMIT = 64_000_000  # bytes
_MAX_SIZE = 10_000_000_000  # bytes


def unpack(source: Path, opened: Content, files: Path) -> tuple[int, tuple[str, ...]]:
    """Unpack the content of a backup into a folder; return the number of blocks, and the accounts.

    Raises DamagedFileError if it is not a backup's content, StorageError and OSError about the disk.
    """
    _unpack(source, opened, files)
    with closing(_checked(source, files / DATABASE)) as database:
        _read_everything(source, database)
        return len(BlockList(database)), search_again(Accounts(database, Sealer("")))


def _unpack(source: Path, opened: Content, files: Path) -> None:
    try:
        with gzip.GzipFile(fileobj=BytesIO(opened.content)) as packed:
            for name, data in orjson.loads(packed.readline(_MAX_SECRETS)).items():
                # Only an encrypted backup may contain the key and the client file: anybody can forge others.
                if not (opened.sealed and _SECRET.fullmatch(name)):
                    raise _damaged(source)
                write_atomically(files / name, b64decode(data, validate=True))
            limit = min(_MIN_LIMIT + _MAX_RATIO * len(opened.content), _MAX_SIZE)
            write_chunks_atomically(files / DATABASE, _chunks(source, packed, limit))
    except (*_NO_GZIP, ValueError, TypeError, AttributeError) as error:
        raise _damaged(source) from error


def _chunks(source: Path, packed: gzip.GzipFile, left: int) -> Iterator[bytes]:
    try:
        while chunk := packed.read(1 << 20):
            if (left := left - len(chunk)) < 0:
                raise _damaged(source)
            yield chunk
    except (
        _NO_GZIP
    ) as error:  # caught here, since the caller takes an OSError such as BadGzipFile for a disk error
        raise _damaged(source) from error


def _checked(source: Path, path: Path) -> Database:
    """Open the database of a backup and check its pages and tables."""
    try:
        database = open_copy(path)
        database.engine.check()
    except DamagedFileError as error:
        raise _damaged(source) from error
    except StorageError as error:  # a newer version
        raise StorageError(error.template, **{**error.fields, "path": source}) from error
    return database


def _read_everything(source: Path, database: Database) -> None:
    sealer = Sealer("")  # nothing is encrypted or decrypted here
    # Each store declares the shape of its records: a record of another shape is set aside when it is read.
    Accounts(database, sealer)
    Announcements(database)
    BlockList(database).imports()
    Review(database)
    StoredGate(database, sealer)
    Tokens(database)
    read_preferences(database)
    for table in TABLES:
        documents = database.documents(table)
        try:
            deque(documents.walk(), maxlen=0)
        except DamagedFileError as error:
            raise _damaged(source, Sentence("the table {table}", table=table)) from error
        for key in documents.set_aside:
            what = Sentence("the record {key} of {table}", key=key, table=table)
            raise _damaged(source, what)


def search_again(accounts: Accounts) -> tuple[str, ...]:
    """Make every account search the mail since its last good pass; return the accounts."""
    known = accounts.all()
    for account in known:
        accounts.update(account.email, search_from=_search_from(account))
    return tuple(account.email for account in known)


def _search_from(account: Account) -> datetime:
    """Return the time since which mail may have been judged after the backup."""
    # Mail that was queued at the backup was judged later, and may be of any age.
    if account.queued or account.last_good_pass is None:
        return BEGINNING
    since = account.last_good_pass - OVERLAP
    return min(since, account.search_from or since)


def _damaged(source: Path, what: Sentence | None = None) -> DamagedFileError:
    if what is None:
        return DamagedFileError("{source} is no complete backup; nothing was changed.", source=source)
    return DamagedFileError(
        "{source} is no complete backup: {what} cannot be read; nothing was changed.",
        source=source,
        what=what,
    )
