"""Connected mailboxes: what is remembered of each, its permission sealed.

They are kept in ``accounts.json``, by TinyDB, replaced as a whole at each change. Times are aware and in UTC.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson
from filelock import FileLock
from tinydb import TinyDB
from tinydb.storages import Storage

from worker.errors import DamagedFileError, SignInAgainError, StorageError, UsageError
from worker.files import storage_error, write_atomically
from worker.gmail.credentials import Grant
from worker.sealing import Sealer, UnsealError

# Of the file. A version whose accounts an older one could not read counts on from here.
VERSION = 1
# Searching from here means the whole mailbox.
EVER = datetime.fromtimestamp(0, UTC)

State = Literal["ok", "sign_in_again", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A connected mailbox.

    personal_address: an address of the account that others may send notices and forwards to. problem: one
    sentence for the seller, "" if all is well. sign_in_ends: when Google ends the sign-in by itself, None if it does
    not. labels, filter_ids: Gmail's ids of ours. forward_to: where tidied
    notices go as well. trusted: addresses whose forwards are accepted besides the account's own.
    queued: notices not judged yet. last_good_pass: when a pass last left nothing in the queue. search_from: from
    when on the mailbox still has to be searched for mail that the filters missed, None if it has been.
    swept_at: when the last days were last searched. queued_since: since when mail was received that a search has put
    into the queue, until the queue is empty. undoing: our labels and filters are being removed. notice_days: the latest
    days on which notices came, in UTC, as ``rhythm.latest`` returns them. new_wording_at: when mail last came that may
    be a notice in words that are not known.
    """

    email: str
    personal_address: str
    connected_at: datetime
    state: State = "ok"
    problem: str = ""
    sign_in_ends: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    filter_ids: tuple[str, ...] = ()
    forward_to: str | None = None
    trusted: tuple[str, ...] = ()
    queued: int = 0
    last_pass: datetime | None = None
    next_pass: datetime | None = None
    last_good_pass: datetime | None = None
    search_from: datetime | None = None
    swept_at: datetime | None = None
    queued_since: datetime | None = None
    undoing: bool = False
    notice_days: tuple[date, ...] = ()
    new_wording_at: datetime | None = None


_TIMES = (
    *("connected_at", "sign_in_ends", "last_pass", "next_pass", "last_good_pass", "search_from", "swept_at"),
    *("queued_since", "new_wording_at"),
)
_TUPLES = ("filter_ids", "trusted")
_FIELDS = {it.name for it in fields(Account)}


class Accounts:
    """The connected mailboxes of a data directory, which threads and processes may share. Raises StorageError."""

    def __init__(self, directory: Path, sealer: Sealer) -> None:
        self._path = directory / "accounts.json"
        self._sealer = sealer
        self._lock = FileLock(directory / "accounts.lock")

    def all(self) -> list[Account]:
        """Return the accounts, in the order in which they were connected."""
        found = [_to_account(document) for document in self._read().values()]
        return sorted(found, key=lambda account: (account.connected_at, account.email))

    def problems(self) -> list[str]:
        """Return a sentence if the accounts were lost by damage and nobody has signed in since."""
        if self.all() or not list(self._path.parent.glob(f"{self._path.name}.damaged-*")):
            return []
        return [f"{self._path} was damaged and set aside, so no mailbox is connected; please sign in again."]

    def get(self, email: str) -> Account:
        """Return an account. Raises UsageError with a sentence if it is not connected."""
        return _to_account(self._document(email))

    def grant(self, email: str) -> Grant:
        """Return an account's permission. Raises SignInAgainError if it was sealed with another key."""
        try:
            return Grant(**orjson.loads(self._sealer.unseal(self._document(email)["grant"])))
        except UnsealError as error:
            raise SignInAgainError(f"{error} Please sign in again.") from error

    def connect(self, email: str, grant: Grant, *, now: datetime) -> Account:
        """Remember a mailbox and its new permission; what was known of the mailbox before stays."""
        sealed = self._sealer.seal(orjson.dumps(asdict(grant)).decode())

        def connected(documents: dict[str, Any]) -> None:
            known = documents.get(email)
            account = _to_account(known) if known else _new(email, now)
            ends = None if grant.lifetime is None else now + timedelta(seconds=grant.lifetime)
            account = replace(account, state="ok", problem="", undoing=False, sign_in_ends=ends)
            documents[email] = _to_document(account) | {"grant": sealed}

        return _to_account(self._write(connected)[email])

    def update(self, email: str, **changes: Any) -> Account | None:
        """Change fields of an account; None if it was disconnected in the meantime."""

        def changed(documents: dict[str, Any]) -> None:
            if email in documents:
                account = replace(_to_account(documents[email]), **changes)
                documents[email] |= _to_document(account)

        document = self._write(changed).get(email)
        return _to_account(document) if document else None

    def remove(self, email: str) -> None:
        """Forget a mailbox and its permission."""
        self._write(lambda documents: documents.pop(email, None))

    def _document(self, email: str) -> dict[str, Any]:
        documents = self._read()
        if email.lower() not in documents:
            connected = ", ".join(documents) or "none yet"
            raise UsageError(f"{email} is not a connected account; connected: {connected}.")
        return documents[email.lower()]

    def _read(self) -> dict[str, dict[str, Any]]:
        with TinyDB(self._path, storage=_WholeFile) as database:
            return {document["email"]: dict(document) for document in database.all()}

    def _write(self, change: Callable[[dict[str, dict[str, Any]]], object]) -> dict[str, dict[str, Any]]:
        with self._lock, TinyDB(self._path, storage=_WholeFile) as database:
            documents = {document["email"]: dict(document) for document in database.all()}
            before = orjson.dumps(documents)
            change(documents)
            if orjson.dumps(documents) != before:
                database.storage.write(
                    {
                        "format": {"1": {"version": VERSION}},
                        "_default": dict(enumerate(documents.values(), 1)),
                    }
                )
            return documents


class _WholeFile(Storage):
    """TinyDB's JSON in one file, replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, dict[str, Any]] | None:
        try:
            content: dict[str, dict[str, Any]] = orjson.loads(self._path.read_bytes())
            if content.get("format", {}).get("1", {}).get("version", 1) > VERSION:
                raise StorageError(
                    f"{self._path} was written by a newer version of buyerblock; use that version, or restore a backup."
                )
            for document in content.get("_default", {}).values():
                _to_account(document), str(document["grant"])
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error("read", self._path, error) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            aside = self._path.with_name(f"{self._path.name}.damaged-{secrets.token_hex(4)}")
            self._path.replace(aside)
            raise DamagedFileError(
                f"{self._path} was damaged and is kept as {aside.name}; start again and sign in again."
            ) from error
        return content

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        write_atomically(self._path, orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2))


def _new(email: str, now: datetime) -> Account:
    name, _, domain = email.partition("@")
    token = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8))
    return Account(
        email=email, personal_address=f"{name}+optouts-{token}@{domain}", connected_at=now, search_from=EVER
    )


def _to_document(account: Account) -> dict[str, Any]:
    document = asdict(account)
    for name in _TIMES:
        document[name] = document[name] and document[name].isoformat()
    document["notice_days"] = [day.isoformat() for day in account.notice_days]
    return document


def _to_account(document: Mapping[str, Any]) -> Account:
    values = {name: value for name, value in document.items() if name in _FIELDS}
    # Of an account that an earlier version wrote some fields are missing.
    values |= {name: datetime.fromisoformat(values[name]) for name in _TIMES if values.get(name)}
    values |= {name: tuple(values[name]) for name in _TUPLES}
    values["notice_days"] = tuple(date.fromisoformat(day) for day in values.get("notice_days", ()))
    return Account(**values)
