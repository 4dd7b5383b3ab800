"""The file that a backup is: one line that says what follows, then the content, checked or sealed as a whole.

The first line is JSON: ``format``, ``created_at``, ``lineage`` and ``newest`` event of the database, and either
``sha256`` of the content or, where a passphrase seals it, how the key is made from that (scrypt) and the nonce. Sealed
content is AES-256-GCM over the content and the first line, so neither can be changed unnoticed.
"""

import hashlib
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import AEADEncryptionContext, Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from worker.errors import DamagedFileError, StorageError, UsageError
from worker.files import at_work, write_chunks_atomically

FORMAT = "buyerblock-backup/2"
_FORMER = "buyerblock-backup/1"
MIN_PASSPHRASE = 8  # characters

_MAX_FIRST_LINE = 4096
_PIECE = 1 << 20  # bytes
# OWASP's parameters of 2023: a third of a second and 128 MB for each guess.
_COST = {"n": 2**17, "r": 8, "p": 1}
# A file from elsewhere must not make us take all memory before we know whether it is ours.
_MAX_COST = {"n": 2**20, "r": 8, "p": 4}


@dataclass(frozen=True, slots=True)
class Content:
    """What a backup file holds, after every check. sealed: a passphrase opened it."""

    created_at: datetime
    sealed: bool
    content: bytes


def write(
    path: Path,
    content: BufferedIOBase,
    *,
    created_at: datetime,
    newest: tuple[str, int],
    passphrase: str | None,
) -> None:
    """Write a backup file, whole or not at all. Raises StorageError, UsageError for a passphrase too short.

    content: a file at its start, which may be larger than the memory. newest: the lineage of the database, and an
    event that is in it.
    """
    about: dict[str, Any] = {"format": FORMAT, "created_at": created_at.isoformat()}
    about |= {"lineage": newest[0], "newest": newest[1]}
    if passphrase is None:
        line = _line(about | {"sha256": hashlib.file_digest(content, "sha256").hexdigest()})
        content.seek(0)
        return write_chunks_atomically(path, chain([line], _pieces(content)))
    if len(passphrase) < MIN_PASSPHRASE:
        raise UsageError(
            "The passphrase is too short; use at least {least} characters.",
            least=MIN_PASSPHRASE,
        )
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    line = _line(about | {"scrypt": {**_COST, "salt": salt.hex()}, "nonce": nonce.hex()})
    sealing = Cipher(AES(_key(passphrase, salt, _COST)), GCM(nonce)).encryptor()
    sealing.authenticate_additional_data(line)
    return write_chunks_atomically(path, chain([line], _sealed(sealing, content)))


def _pieces(content: BufferedIOBase) -> Iterator[bytes]:
    return iter(partial(content.read, _PIECE), b"")


def _sealed(sealing: AEADEncryptionContext, content: BufferedIOBase) -> Iterator[bytes]:
    yield from map(sealing.update, _pieces(content))
    yield sealing.finalize() + sealing.tag


def read(path: Path, *, passphrase: str | None) -> Content:
    """Read a backup file and check all of it.

    Raises UsageError where the passphrase is missing, wrong or not needed, DamagedFileError for a file that
    is no backup or was changed, and StorageError for one of a newer version.
    """
    with at_work("read", path), path.open("rb") as file:
        line, rest = file.readline(_MAX_FIRST_LINE), file.read()
    try:
        opened = _open(path, line, rest, passphrase)
    except (ValueError, LookupError, TypeError) as error:
        raise DamagedFileError("{path} is no backup of buyerblock, or it is damaged.", path=path) from error
    if passphrase is not None and not opened.sealed:
        raise UsageError(
            "{path} is not encrypted; if you trust where it comes from, restore it without a passphrase.",
            path=path,
        )
    return opened


def _open(path: Path, line: bytes, rest: bytes, passphrase: str | None) -> Content:
    about = orjson.loads(line)
    version = str(about["format"])
    if not version.startswith("buyerblock-backup/"):
        raise ValueError(version)
    if version == _FORMER:
        raise StorageError(
            "{path} was made by buyerblock 0.1, which this version does not read. Restore it with version 0.1, export "
            "the list there (buyerblock export --output blocks.json), and import that file here.",
            path=path,
        )
    if version != FORMAT:
        raise StorageError(
            "{path} was made by a newer version of buyerblock; restore it with that version.", path=path
        )
    created_at = datetime.fromisoformat(about["created_at"])
    if "scrypt" in about:
        return Content(created_at, sealed=True, content=_unseal(path, about, line, rest, passphrase))
    if hashlib.sha256(rest).hexdigest() != about["sha256"]:
        raise ValueError("checksum")
    return Content(created_at, sealed=False, content=rest)


def _line(about: dict[str, Any]) -> bytes:
    return orjson.dumps(about) + b"\n"


def _unseal(path: Path, about: dict[str, Any], line: bytes, sealed: bytes, passphrase: str | None) -> bytes:
    if passphrase is None:
        raise UsageError("{path} is encrypted; give its passphrase.", path=path)
    cost = {name: int(about["scrypt"][name]) for name in _COST}
    if any(not 0 < cost[name] <= most for name, most in _MAX_COST.items()):
        raise ValueError("cost")
    key = _key(passphrase, bytes.fromhex(about["scrypt"]["salt"]), cost)
    try:
        return AESGCM(key).decrypt(bytes.fromhex(about["nonce"]), sealed, line)
    except InvalidTag as error:
        raise UsageError(
            "{path} cannot be opened: the passphrase is wrong, or the file was changed.", path=path
        ) from error


def _key(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    # Keyboards of different systems write the same letter in different ways.
    secret = unicodedata.normalize("NFC", passphrase).encode()
    return Scrypt(salt=salt, length=32, **cost).derive(secret)
