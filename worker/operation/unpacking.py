"""What is inside a backup: unpacked with care, since anybody may have made the file, and read as the program will."""

import gzip
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO

import orjson

from worker.accounts import EVER, Account, Accounts
from worker.block_list.block_list import BlockList
from worker.block_list.layout import Layout
from worker.block_list.review import Review
from worker.errors import DamagedFileError
from worker.files import replace_file, write_chunks_atomically
from worker.missed import OVERLAP
from worker.operation.backup import AUDIT, BLOCKS, SECRETS
from worker.operation.backup_file import Content
from worker.preferences import read_preferences
from worker.sealing import Sealer
from worker.tokens import Tokens

_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.json|audit\.ndjson|secret\.key")
# Real backups unpack to 6 to 30 times their size. A small file that unpacks to very much would fill the disk.
_MOST_TIMES = 100
_ALWAYS = 64_000_000  # bytes
_LARGEST = 2_000_000_000  # bytes


def unpack(source: Path, opened: Content, files: Path) -> tuple[int, tuple[str, ...]]:
    """Lay the content of a backup out in a folder; return how many blocks there are, and the accounts.

    Raises DamagedFileError where it is not what a backup holds, StorageError and OSError about the disk.
    """
    _unpack(source, opened, files)
    return _check_blocks(source, files), _check_others(source, files)


def _unpack(source: Path, opened: Content, files: Path) -> None:
    try:
        with (
            tempfile.TemporaryFile(dir=files.parent) as unpacked,
            gzip.GzipFile(fileobj=BytesIO(opened.content)) as packed,
        ):
            left = min(_ALWAYS + _MOST_TIMES * len(opened.content), _LARGEST)
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


def _check_blocks(source: Path, files: Path) -> int:
    """Make a block list of what the backup says, and return its length."""
    snapshot = files / "from-backup"
    try:
        replace_file(files / BLOCKS, snapshot)
        replace_file(files / AUDIT, Layout(files).audit(0))
        block_list = BlockList(files)
        block_list.restore(snapshot)
        count = len(block_list)
    except (FileNotFoundError, DamagedFileError) as error:
        raise _damaged(source) from error
    snapshot.unlink()
    return count


def _check_others(source: Path, files: Path) -> tuple[str, ...]:
    """Read every other file as the program will; return the accounts."""
    try:
        for path in files.glob("*.json"):
            if path.name != BLOCKS:
                orjson.loads(path.read_bytes())
        Review(files).items()
        Tokens(files).all()
        read_preferences(files)
        accounts = Accounts(files, Sealer(""))  # no permission is opened or sealed here
        for account in accounts.all():
            accounts.update(account.email, search_from=_search_from(account))
        return tuple(account.email for account in accounts.all())
    except (ValueError, LookupError, TypeError, DamagedFileError) as error:
        raise _damaged(source) from error


def _search_from(account: Account) -> datetime:
    """Return from when on mail may have been judged after the backup was made."""
    # Whatever waited then was judged since, and may be of any age.
    if account.queued or account.last_good_pass is None:
        return EVER
    since = account.last_good_pass - OVERLAP
    return min(since, account.search_from or since)


def _damaged(source: Path) -> DamagedFileError:
    return DamagedFileError(f"{source} is no complete backup; nothing was changed.")
