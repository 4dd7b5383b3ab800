"""Connected mailboxes: what is remembered of each, its permission sealed. Times are aware and in UTC."""

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

# Searching from here means the whole mailbox.
EVER = datetime.fromtimestamp(0, UTC)

State = Literal["ok", "sign_in_again", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A connected mailbox.

    personal_address: an address of the account that others may send notices and forwards to. problem: what needs
    the seller, None if all is well. sign_in_ends: when Google ends the sign-in by itself, None if it does not.
    labels, filter_ids: Gmail's ids of ours. adopted: those of them that were there before us, None before the first
    look. unlisted: queued mails in Trash or Spam. label_lost: the label for opt-outs was deleted, so that mail archived
    before does not carry it. forward_to: where archived notices go as well. mark_read: whether
    archived notices are marked as read. trusted: addresses whose forwards are accepted besides the account's own.
    redirectors: addresses and domains whose word counts for mail that they redirect and change.
    queued: notices not judged yet. last_good_pass: when a pass last left nothing in the queue. search_from: from
    when on the mailbox still has to be searched for mail that the filters missed, None if it has been. swept_at:
    when the last days were last searched. queued_since: since when mail was received that a search has put into the
    queue, until the queue is empty. undoing: our labels and filters are being removed. notice_days: the latest days
    on which notices came, in UTC, as ``notice_days.latest`` returns them. silence_heard: the last of them
    when the owner was notified that no more came, and said that it is all right. progress_at: when a pass last came
    further, None if it has failed since. progress: how far it was then, as ``worker/mailbox_pass/progress.py`` stores
    it, None if it has ended. formerly: addresses that the mailbox had before, the latest last.
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
        """Whether only a new sign-in helps; where it was the secret key, that of before helps as well."""
        sealed = self.problem is not None and self.problem.cause is Cause.SEALED_WITH_ANOTHER_KEY
        return self.state == "sign_in_again" and not sealed


_to_account = partial(stored, Account)


class Accounts:
    """The connected mailboxes."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._documents = database.documents("accounts")
        self._documents.expect(_to_account)
        self._sealer = sealer

    def all(self) -> list[Account]:
        """Return the accounts, in the order in which they were connected."""
        found = map(_to_account, self._documents.walk())
        return sorted(found, key=lambda account: (account.connected_at, account.email))

    def get(self, email: str) -> Account:
        """Return an account. Raises UsageError with a sentence if it is not connected."""
        return _to_account(self._document(email))

    def grant(self, email: str) -> Grant:
        """Return an account's permission. Raises SignInAgainError if it was sealed with another key."""
        document = self._document(email)
        try:
            with reading(Sentence("the account {email}", email=email)):
                return Grant(**orjson.loads(self._sealer.unseal(document["grant"])))
        except UnsealError as error:
            raise SignInAgainError(Cause.SEALED_WITH_ANOTHER_KEY) from error

    def connect(self, email: str, grant: Grant, *, now: datetime) -> Account:
        """Remember a mailbox and its new permission; what was known of the mailbox before stays."""
        ends = None if grant.lifetime is None else now + timedelta(seconds=grant.lifetime)
        with self._database.together():
            known = self._documents.find(email)
            account = _to_account(known) if known else _new(email, now)
            account = replace(account, state="ok", problem=None, undoing=False, sign_in_ends=ends)
            sealed = self._sealer.seal(orjson.dumps(grant).decode())
            self._documents.put({email: _to_document(account) | {"grant": sealed}})
        return account

    def update(self, email: str, **changes: Any) -> Account | None:
        """Change fields of an account; None if it was disconnected in the meantime."""
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
        """Let an account have its new address; its permission, and all that is known of it, stay."""
        with self._database.together():
            document = self._document(former)
            account = _to_account(document)
            account = replace(account, email=email, formerly=(*account.formerly, former))
            self._documents.put({email: document | _to_document(account)})
            self._documents.delete([former])

    def remove(self, email: str) -> None:
        """Forget a mailbox and its permission."""
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
        email=email, personal_address=f"{name}+optouts-{token}@{domain}", connected_at=now, search_from=EVER
    )


def _to_document(account: Account) -> dict[str, Any]:
    return asdict(account) | {"problem": account.problem and account.problem.as_document()}
