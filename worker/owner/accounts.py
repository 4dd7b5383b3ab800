"""Connected mailboxes, each with its encrypted permission. Times are aware and in UTC."""

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Literal

import orjson

from worker.database import Database, reading, stored
from worker.errors import SignInAgainError, UsageError
from worker.gmail.credentials import Grant
from worker.problems import Cause, MailboxProblem
from worker.sealing import Sealer, UnsealError
from worker.sentences import Sentence

# As search_from: search the whole mailbox.
BEGINNING = datetime.fromtimestamp(0, UTC)

State = Literal["ok", "sign_in_again", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A connected mailbox.

    personal_address: a secret address of the account for notices and forwards from others.
    problem: needs the seller's action, None if all is well.
    sign_in_ends: when Google ends the sign-in, None if it does not.
    labels, filter_ids: Gmail's ids of our labels and filters.
    adopted: those ids that existed before us, None before the first check.
    unlisted: the number of queued mails in Trash or Spam.
    label_lost: the label for opt-outs was deleted, so that earlier archived mail does not have it.
    forward_to: an address that archived notices are forwarded to. mark_read: archived notices are marked as read.
    trusted: addresses whose forwards are accepted, besides the account's own.
    redirectors: addresses and domains that may redirect and change mail.
    queued: the number of notices not judged yet.
    last_good_pass: when a pass last emptied the queue.
    search_from: the time since which mail must still be searched, None if nothing is to be searched.
    swept_at: when the last days were last searched.
    queued_since: the oldest time of mail that a search has queued; None when the queue is empty.
    undoing: our labels and filters are being removed.
    notice_days: the latest days with notices, in UTC, see ``notice_days.latest``.
    silence_heard: the last notice day when the owner confirmed a warning about missing notices.
    progress_at: when a pass last made progress, None after a failure.
    progress: that progress, see ``worker/mailbox_pass/progress.py``, None when the pass has ended.
    formerly: former addresses of the mailbox, the newest last.
    """

    email: str
    personal_address: str
    connected_at: datetime
    state: State = "ok"
    problem: MailboxProblem | None = None
    sign_in_ends: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    filter_ids: tuple[str, ...] = ()
    adopted: tuple[str, ...] | None = None
    unlisted: int = 0
    label_lost: bool = False
    forward_to: str | None = None
    mark_read: bool = False
    trusted: tuple[str, ...] = ()
    redirectors: tuple[str, ...] = ()
    queued: int = 0
    last_pass: datetime | None = None
    next_pass: datetime | None = None
    last_good_pass: datetime | None = None
    search_from: datetime | None = None
    swept_at: datetime | None = None
    queued_since: datetime | None = None
    undoing: bool = False
    notice_days: tuple[date, ...] = ()
    silence_heard: date | None = None
    progress_at: datetime | None = None
    progress: Mapping[str, int] | None = None
    formerly: tuple[str, ...] = ()

    @property
    def waits_for_sign_in(self) -> bool:
        """Whether only a new sign-in helps. False for a wrong secret key, since the right key also helps."""
        wrong_key = self.problem is not None and self.problem.cause is Cause.SEALED_WITH_ANOTHER_KEY
        return self.state == "sign_in_again" and not wrong_key


_to_account = partial(stored, Account)


class Accounts:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._documents = database.documents("accounts")
        self._documents.expect(_to_account)
        self._sealer = sealer

    def all(self) -> list[Account]:
        """Return the accounts, sorted by the time of connection."""
        found = map(_to_account, self._documents.walk())
        return sorted(found, key=lambda account: (account.connected_at, account.email))

    def get(self, email: str) -> Account:
        """Return an account. Raises UsageError if it is not connected."""
        return _to_account(self._document(email))

    def grant(self, email: str) -> Grant:
        """Return an account's permission. Raises SignInAgainError if it was encrypted with another key."""
        document = self._document(email)
        try:
            with reading(Sentence("the account {email}", email=email)):
                return Grant(**orjson.loads(self._sealer.unseal(document["grant"])))
        except UnsealError as error:
            raise SignInAgainError(Cause.SEALED_WITH_ANOTHER_KEY) from error

    def connect(self, email: str, grant: Grant, *, now: datetime) -> Account:
        """Store a mailbox and its new permission; an existing account keeps its other data."""
        ends = None if grant.lifetime is None else now + timedelta(seconds=grant.lifetime)
        with self._database.together():
            known = self._documents.find(email)
            account = _to_account(known) if known else _new(email, now)
            account = replace(account, state="ok", problem=None, undoing=False, sign_in_ends=ends)
            sealed = self._sealer.seal(orjson.dumps(grant).decode())
            self._documents.put({email: _to_document(account) | {"grant": sealed}})
        return account

    def update(self, email: str, **changes: Any) -> Account | None:
        """Change fields of an account and return it; None if it is no longer connected."""
        with self._database.together():
            document = self._documents.find(email)
            if document is None:
                return None
            before = _to_account(document)
            account = replace(before, **changes)
            if account != before:
                self._documents.put({email: document | _to_document(account)})
        return account

    def rename(self, former: str, email: str) -> None:
        """Change an account's address; everything else stays."""
        with self._database.together():
            document = self._document(former)
            account = _to_account(document)
            account = replace(account, email=email, formerly=(*account.formerly, former))
            self._documents.put({email: document | _to_document(account)})
            self._documents.delete([former])

    def remove(self, email: str) -> None:
        """Delete a mailbox and its permission."""
        self._documents.delete([email])

    def _document(self, email: str) -> dict[str, Any]:
        if (document := self._documents.find(email.lower())) is None:
            connected = tuple(account.email for account in self.all())
            raise UsageError(
                "{email} is not a connected account; connected: {connected}.",
                email=email,
                connected=connected or Sentence("none yet"),
            )
        return document


def _new(email: str, now: datetime) -> Account:
    name, _, domain = email.partition("@")
    token = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(8))
    return Account(
        email=email,
        personal_address=f"{name}+optouts-{token}@{domain}",
        connected_at=now,
        search_from=BEGINNING,
    )


def _to_document(account: Account) -> dict[str, Any]:
    return asdict(account) | {"problem": account.problem and account.problem.as_document()}
