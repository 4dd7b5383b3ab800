"""The format of a backup file: one header line, then the content, with a checksum or encrypted.

The header is JSON: ``format``, ``created_at``, ``lineage`` and ``newest`` event of the database, and either ``sha256``
of the content or, with a passphrase, the parameters of the key derivation (``scrypt``) and the ``nonce``. Encrypted
content is AES-256-GCM; it authenticates the header too.
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

_MAX_HEADER = 4096  # bytes
_CHUNK = 1 << 20  # bytes
# OWASP's parameters of 2023: a third of a second and 128 MB for each guess.
_COST = {"n": 2**17, "r": 8, "p": 1}
# A file from a stranger must not make us use all memory.
_MAX_COST = {"n": 2**20, "r": 8, "p": 4}


@dataclass(frozen=True, slots=True)
class Content:
    """The checked content of a backup file. sealed: it was encrypted."""

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
    """Write a backup file atomically. Raises StorageError, UsageError for a passphrase too short.

    content: a file at offset 0; it may be larger than the memory. newest: the lineage of the database, and the number
    of an event in it.
    """
    fields: dict[str, Any] = {"format": FORMAT, "created_at": created_at.isoformat()}
    fields |= {"lineage": newest[0], "newest": newest[1]}
    if passphrase is None:
        header = _header(fields | {"sha256": hashlib.file_digest(content, "sha256").hexdigest()})
        content.seek(0)
        return write_chunks_atomically(path, chain([header], _chunks(content)))
    if len(passphrase) < MIN_PASSPHRASE:
        raise UsageError(
            "The passphrase is too short; use at least {least} characters.",
            least=MIN_PASSPHRASE,
        )
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    header = _header(fields | {"scrypt": {**_COST, "salt": salt.hex()}, "nonce": nonce.hex()})
    encryptor = Cipher(AES(_key(passphrase, salt, _COST)), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(header)
    return write_chunks_atomically(path, chain([header], _encrypted(encryptor, content)))


def _chunks(content: BufferedIOBase) -> Iterator[bytes]:
    return iter(partial(content.read, _CHUNK), b"")


def _encrypted(encryptor: AEADEncryptionContext, content: BufferedIOBase) -> Iterator[bytes]:
    yield from map(encryptor.update, _chunks(content))
    yield encryptor.finalize() + encryptor.tag


def read(path: Path, *, passphrase: str | None) -> Content:
    """Read a backup file and check all of it.

    Raises UsageError if the passphrase is missing, wrong or not needed; DamagedFileError if the file is no backup or
    was changed; StorageError if it is of another version.
    """
    with at_work("read", path), path.open("rb") as file:
        header, content = file.readline(_MAX_HEADER), file.read()
    try:
        opened = _open(path, header, content, passphrase)
    except (ValueError, LookupError, TypeError) as error:
        raise DamagedFileError("{path} is no backup of buyerblock, or it is damaged.", path=path) from error
    if passphrase is not None and not opened.sealed:
        raise UsageError(
            "{path} is not encrypted; if you trust where it comes from, restore it without a passphrase.",
            path=path,
        )
    return opened


def _open(path: Path, header: bytes, content: bytes, passphrase: str | None) -> Content:
    fields = orjson.loads(header)
    version = str(fields["format"])
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
    created_at = datetime.fromisoformat(fields["created_at"])
    if "scrypt" in fields:
        return Content(created_at, sealed=True, content=_decrypt(path, fields, header, content, passphrase))
    if hashlib.sha256(content).hexdigest() != fields["sha256"]:
        raise ValueError("checksum")
    return Content(created_at, sealed=False, content=content)


def _header(fields: dict[str, Any]) -> bytes:
    return orjson.dumps(fields) + b"\n"


def _decrypt(
    path: Path, fields: dict[str, Any], header: bytes, content: bytes, passphrase: str | None
) -> bytes:
    if passphrase is None:
        raise UsageError("{path} is encrypted; give its passphrase.", path=path)
    cost = {name: int(fields["scrypt"][name]) for name in _COST}
    if any(not 0 < cost[name] <= most for name, most in _MAX_COST.items()):
        raise ValueError("cost")
    key = _key(passphrase, bytes.fromhex(fields["scrypt"]["salt"]), cost)
    try:
        return AESGCM(key).decrypt(bytes.fromhex(fields["nonce"]), content, header)
    except InvalidTag as error:
        raise UsageError(
            "{path} cannot be opened: the passphrase is wrong, or the file was changed.", path=path
        ) from error


def _key(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    # Systems encode the same letter in different ways (composed or decomposed).
    secret = unicodedata.normalize("NFC", passphrase).encode()
    return Scrypt(salt=salt, length=32, **cost).derive(secret)
