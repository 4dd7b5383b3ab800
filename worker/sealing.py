"""Secrets at rest: sealed with one key, from the environment or ``secret.key`` in the data directory, or as digests."""

import base64
import hashlib
import re
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from worker.errors import StorageError
from worker.files import storage_error, write_atomically


class UnsealError(StorageError):
    """Sealed with another key, or changed since."""


class Sealer:
    """Encrypts and authenticates small texts."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._fernet = Fernet(base64.urlsafe_b64encode(self.derived(b"sealing")))

    def derived(self, purpose: bytes) -> bytes:
        """Return 32 bytes that depend on the key and the purpose, for the signing of cookies and the like."""
        return hashlib.blake2b(self._secret, digest_size=32, person=purpose[:16]).digest()

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Return the text. Raises UnsealError."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise UnsealError("The stored sign-in cannot be opened with the present secret key.") from error


def digest_of(secret: str | bytes) -> str:
    """Return by what a secret of ours is known again without being kept.

    Only for random ones: of 256 bits that nobody chose nothing is gained by a slow hash.
    """
    data = secret if isinstance(secret, bytes) else secret.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()


def open_sealer(data_dir: Path, secret: str | None) -> Sealer:
    """Return the sealer of a data directory; its key is made at the first use. Raises StorageError."""
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
