"""Secrets at rest: encrypted with a key from the environment or from ``secret.key``, or stored as digests."""

import base64
import hashlib
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from worker.errors import StorageError
from worker.files import storage_error, write_atomically

_FERNET_PREFIX = "gAAAAA"  # the start of every text encrypted by Fernet, until the year 2106


class UnsealError(StorageError):
    """The text was encrypted with another key, or changed."""


class Sealer:
    """Encrypts and authenticates short texts. former: old keys, only for decryption."""

    def __init__(self, secret: str, *former: str) -> None:
        self._secret = secret
        keys = (_derived(it, b"sealing") for it in (secret, *former))
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])

    def derived(self, purpose: bytes) -> bytes:
        """Derive a key of 32 bytes for a purpose, such as signing cookies."""
        return _derived(self._secret, purpose)

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt. Raises UnsealError."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise UnsealError("The stored sign-in cannot be opened with the present secret key.") from error

    def resealed(self, value: Any) -> Any:
        """Return a JSON value with all its encrypted texts encrypted again with the current key."""
        if isinstance(value, dict):
            return {name: self.resealed(it) for name, it in value.items()}
        if isinstance(value, list):
            return [self.resealed(it) for it in value]
        if isinstance(value, str) and value.startswith(_FERNET_PREFIX):
            with suppress(InvalidToken):  # a text that only looks encrypted
                return self._fernet.rotate(value).decode()
        return value


def _derived(secret: str, purpose: bytes) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=purpose[:16]).digest()


def digest_of(secret: str | bytes) -> str:
    """Return the SHA-256 of a secret, to recognise it without storing it.

    Only for random secrets of 256 bits: passwords need a slow hash.
    """
    data = secret if isinstance(secret, bytes) else secret.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()


def open_sealer(data_dir: Path, secret: str | None) -> Sealer:
    """Return the sealer of a data directory; create its key at the first use. Raises StorageError."""
    if secret is not None:
        return Sealer(secret)
    path = data_dir / "secret.key"
    try:
        key = path.read_bytes().strip()
    except FileNotFoundError:
        key = Fernet.generate_key()
        write_atomically(path, key)
    except OSError as error:
        raise storage_error("read", path, error) from error
    if not re.fullmatch(rb"[A-Za-z0-9_-]{43}=", key):
        raise StorageError(
            "{path} is damaged; put it back from a backup, or remove it and sign in again.", path=path
        )
    return Sealer(key.decode())
