"""The stored settings of the gate: its address, the real server, and the password of the tools."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from worker.database import Database, reading, stored
from worker.errors import UsageError
from worker.gate.record import to_record
from worker.parsing import is_loopback
from worker.sealing import Sealer, digest_of
from worker.sentences import Sentence

# User names of tools. The second may send marked mail, see the package.
USER, MARKED_USER = "buyerblock", "buyerblock+marked"
TLS = Literal["implicit", "starttls", "none"]
DEFAULT_PORTS: dict[TLS, int] = {"implicit": 465, "starttls": 587, "none": 25}

_KEY = "settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """The settings.

    enabled: ``serve`` runs the gate. certificate, key: paths of PEM files, "" for none. upstream: the real server;
    its user and password are "" if it needs none. tool_hash: SHA-256 of the tools' password. Raises UsageError for
    settings that cannot work, or would let strangers read or send mail.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: int = 2525
    certificate: str = ""
    key: str = ""
    upstream: str
    upstream_port: int
    upstream_tls: TLS = "implicit"
    upstream_user: str = ""
    upstream_password: str = field(default="", repr=False)
    tool_hash: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for number in (self.port, self.upstream_port):
            if not 1 <= number <= 65535:
                raise UsageError("A port is a whole number from 1 to 65535.")
        for host in (self.host, self.upstream):
            if not host or len(host) > 253 or not host.isprintable() or set(host) & set(" /@<>[]"):
                raise UsageError(
                    "{host!r} is no name of a server; write it like smtp.example.com.", host=host[:100]
                )
        if not is_loopback(self.host) and not (self.certificate and self.key):
            raise UsageError(
                "On {host} the gate can be reached from other machines, and would show passwords and mail on the "
                "network; name a certificate and its key, or listen on 127.0.0.1.",
                host=self.host,
            )
        if self.upstream_tls == "none" and not is_loopback(self.upstream):
            raise UsageError(
                "Without encryption mail goes to a server on this machine only; choose STARTTLS or TLS."
            )
        if bool(self.upstream_user) is not bool(self.upstream_password):
            raise UsageError("The real server's user and password are needed together, or neither of them.")
        if not (self.upstream_user + self.upstream_password).isascii():
            raise UsageError(
                "The real server's user and password can hold letters of ASCII only; choose others there."
            )

    @property
    def beyond_loopback(self) -> bool:
        """Whether other machines can reach the gate."""
        return not is_loopback(self.host)

    def accepts_login(self, user: bytes, password: bytes) -> bool:
        known = user in (USER.encode(), MARKED_USER.encode())
        return known and hmac.compare_digest(digest_of(password), self.tool_hash)


class StoredGate:
    """The stored settings. Raises StorageError, and UnsealError if they were encrypted with another key."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._documents = database.documents("gate")
        self._documents.expect(_read_stored)
        self._sealer = sealer

    def get(self) -> GateSettings | None:
        """Return the settings, None if the gate was never set up."""
        found = self._load()
        if found is None or not found.upstream_password:
            return found
        return replace(found, upstream_password=self._sealer.unseal(found.upstream_password))

    def existing(self) -> GateSettings:
        """Return the settings. Raises UsageError if there are none."""
        return _required(self.get())

    def save(self, wanted: GateSettings) -> str | None:
        """Store the settings; return a new password for the tools if there was none, else None.

        Only the hash of the password is stored, so it cannot be shown again.
        """
        password = wanted.upstream_password
        sealed = replace(wanted, upstream_password=self._sealer.seal(password) if password else "")
        with self._database.together():
            if former := self._load():
                self._put(replace(sealed, tool_hash=former.tool_hash))
                return None
            return self._put_with_password(sealed)

    def new_password(self) -> str:
        """Replace the password of the tools and return it; it cannot be shown again."""
        with self._database.together():
            return self._put_with_password(_required(self._load()))

    def _load(self) -> GateSettings | None:
        """Return the settings with the real server's password still encrypted."""
        document = self._documents.find(_KEY)
        if document is None:
            return None
        with reading(Sentence("the gate")):
            return stored(GateSettings, document)

    def _put_with_password(self, settings: GateSettings) -> str:
        secret = secrets.token_urlsafe(32)
        self._put(replace(settings, tool_hash=digest_of(secret)))
        return secret

    def _put(self, settings: GateSettings) -> None:
        self._documents.put({_KEY: asdict(settings)})


def _required(found: GateSettings | None) -> GateSettings:
    if found is None:
        raise UsageError("The gate is not set up; do that under Settings, or by “buyerblock gate setup”.")
    return found


def _read_stored(document: Mapping[str, Any]) -> object:
    """Read a document of the table ``gate``: the settings or the record."""
    return to_record(document) if "lately" in document else stored(GateSettings, document)
