"""What is inside a backup: unpacked with care, since anybody may have made the file, and read as the program will."""

import gzip
import re
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO

from tinydb.table import Document

from worker.block_list.block_list import BlockList
from worker.block_list.documents import to_entry, to_evidence
from worker.block_list.model import Entry
from worker.block_list.review import Review
from worker.database import DATABASE, Database, open_copy
from worker.database.schema import TABLES
from worker.errors import BuyerblockError, DamagedFileError, StorageError
from worker.files import write_chunks_atomically
from worker.mailbox_pass.missed import OVERLAP
from worker.operation.backup import SECRETS
from worker.operation.backup_file import Content
from worker.owner.accounts import EVER, Account, Accounts
from worker.owner.preferences import read_preferences
from worker.owner.tokens import Tokens
from worker.sealing import Sealer
from worker.webhook import Announcements

_NAME = re.compile(rf"{re.escape(DATABASE)}|secret\.key|client_secret[A-Za-z0-9._-]*\.json")
# Real backups unpack to 6 to 30 times their size. A small file that unpacks to very much would fill the disk.
_MAX_TIMES = 100
_ALWAYS = 64_000_000  # bytes
_MAX_SIZE = 10_000_000_000  # bytes


def unpack(source: Path, opened: Content, files: Path) -> tuple[int, tuple[str, ...]]:
    """Lay the content of a backup out in a folder; return how many blocks there are, and the accounts.

    Raises DamagedFileError where it is not what a backup holds, StorageError and OSError about the disk.
    """
    _unpack(source, opened, files)
    with closing(_checked(source, files / DATABASE)) as database:
        _read_everything(source, database)
        return len(BlockList(database)), _search_again(database)


def _unpack(source: Path, opened: Content, files: Path) -> None:
    try:
        with (
            tempfile.TemporaryFile(dir=files.parent) as unpacked,
            gzip.GzipFile(fileobj=BytesIO(opened.content)) as packed,
        ):
            left = min(_ALWAYS + _MAX_TIMES * len(opened.content), _MAX_SIZE)
            for piece in _pieces(packed):
                if (left := left - len(piece)) < 0:
                    raise _damaged(source)
                unpacked.write(piece)
            unpacked.seek(0)
            with tarfile.open(fileobj=unpacked, mode="r:") as archive:
                for member in archive:
                    _take(source, archive, member, files, sealed=opened.sealed)
    # ValueError: tarfile lets numbers through as they stand in the file.
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError) as error:
        raise _damaged(source) from error


def _take(
    source: Path, archive: tarfile.TarFile, member: tarfile.TarInfo, files: Path, *, sealed: bool
) -> None:
    # A link, or a name with a slash, could write anywhere; a file with holes is larger than what was unpacked.
    plain = member.isreg() and not member.issparse() and _NAME.fullmatch(member.name)
    data = archive.extractfile(member) if plain else None
    target = files / member.name
    # No backup that everybody can read or change holds a key, or says whom to ask for one.
    secret = any(target.match(pattern) for pattern in SECRETS)
    if data is None or target.exists() or (secret and not sealed):
        raise _damaged(source)
    write_chunks_atomically(target, _pieces(data))


def _pieces(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while piece := file.read(1 << 20):
        yield piece


def _checked(source: Path, path: Path) -> Database:
    """Open the database of a backup, whose pages and tables are as they should be."""
    if not path.exists():
        raise _damaged(source)
    try:
        database = open_copy(path)
        database.engine.check()
    except DamagedFileError as error:
        raise _damaged(source) from error
    except StorageError as error:  # of a newer version
        raise StorageError(str(error).replace(str(path), str(source))) from error
    return database


def _read_everything(source: Path, database: Database) -> None:
    """Read every record as the program will."""
    accounts, review = (
        Accounts(database, Sealer("")),
        Review(database),
    )  # no permission is opened or sealed here
    records: dict[str, Callable[[Document], object]] = {
        "blocks": _to_entry,
        "unblocked": _to_entry,
        "notices": to_evidence,
        "accounts": lambda it: accounts.get(str(it.doc_id)),
        "review": lambda it: review.get(str(it.doc_id)),
    }
    stores: dict[str, Callable[[], object]] = {
        "imports": BlockList(database).imports,
        "tokens": Tokens(database).all,
        "preferences": lambda: read_preferences(database),
        "announcements": Announcements(database).waiting,
    }
    for table in TABLES:
        what = f"the table {table}"
        try:
            stores.get(table, dict)()
            for document in database.documents(table).walk():
                what = f"the record {document.doc_id} of {table}"
                records.get(table, dict)(document)
        except (BuyerblockError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise _damaged(source, what) from error


def _to_entry(document: Document) -> Entry:
    entry = to_entry(document, ())
    if entry.block.key != str(document.doc_id):
        raise ValueError(entry.block.key)
    return entry


def _search_again(database: Database) -> tuple[str, ...]:
    """Have every account search the mail since the backup; return the accounts."""
    accounts = Accounts(database, Sealer(""))
    known = accounts.all()
    for account in known:
        accounts.update(account.email, search_from=_search_from(account))
    return tuple(account.email for account in known)


def _search_from(account: Account) -> datetime:
    """Return from when on mail may have been judged after the backup was made."""
    # Whatever waited then was judged since, and may be of any age.
    if account.queued or account.last_good_pass is None:
        return EVER
    since = account.last_good_pass - OVERLAP
    return min(since, account.search_from or since)


def _damaged(source: Path, what: str = "") -> DamagedFileError:
    why = f": {what} cannot be read" if what else ""
    return DamagedFileError(f"{source} is no complete backup{why}; nothing was changed.")
