"""Recognise a mailbox at sign-in, even if its address changed; undo its rules; disconnect it."""

import logging
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta

from worker.clock import Clock
from worker.database import Database, Documents
from worker.errors import SignInAgainError
from worker.events import fields
from worker.gmail import rules
from worker.gmail.credentials import Grant, revoke
from worker.gmail.mailbox import Mailbox
from worker.gmail.model import Change, Filter
from worker.gmail.sessions import Sessions
from worker.gmail.wanted import INBOX, OPT_OUTS, queries, wanted_filters
from worker.mailbox_pass.passes import Passes, open_mailbox
from worker.owner.accounts import Account, Accounts
from worker.problems import Cause
from worker.settings import Settings

log = logging.getLogger(__name__)

# Tables whose keys start with the account's address, and the separator after it.
_KEYED_BY_ACCOUNT = {"review": ":", "judged": " ", "unresolved": " ", "unreadable": " "}


def address_of(settings: Settings, accounts: Accounts, clock: Clock, grant: Grant) -> tuple[str, str | None]:
    """Return the current address of the mailbox that a grant opens, and its former one if it is connected under that.

    Google is asked, since a browser could send any address. Raises GmailError.
    """
    with (
        closing(Sessions()) as sessions,
        closing(open_mailbox(settings, clock, grant, sessions)) as mailbox,
    ):
        address, known = mailbox.address(), accounts.all()
        if not known or any(account.email == address for account in known):
            return address, None
        filters = mailbox.filters()
        return address, next((it.email for it in known if _is_mailbox_of(it, filters)), None)


def _is_mailbox_of(account: Account, filters: Iterable[Filter]) -> bool:
    # Both the ids, which Gmail chose, and the secret address must match.
    return any(it.id in account.filter_ids and account.personal_address in (it.query or "") for it in filters)


def rename(database: Database, accounts: Accounts, passes: Passes, former: str, email: str) -> None:
    """Change an account's address, and move all records that are stored under it. Raises StorageError."""
    with database.together():
        accounts.rename(former, email)
        for table, separator in _KEYED_BY_ACCOUNT.items():
            _move_keys(database.documents(table), f"{former}{separator}", f"{email}{separator}", email)
        destinations = database.documents("destinations")
        kept = {
            str(it.doc_id): {**it, "account": email} for it in destinations.walk() if it["account"] == former
        }
        destinations.put(kept)
    passes.forget(former)
    log.info("A mailbox has a new address.", extra=fields(account=email, formerly=former))


def _move_keys(documents: Documents, prefix: str, new_prefix: str, email: str) -> None:
    found = {str(it.doc_id): it for it in documents.walk() if str(it.doc_id).startswith(prefix)}
    documents.put(
        {
            new_prefix + key.removeprefix(prefix): {**it, "account": email} if "account" in it else dict(it)
            for key, it in found.items()
        }
    )
    documents.delete(found)


def undo_rules(accounts: Accounts, passes: Passes, clock: Clock, email: str, *, days_back: int) -> None:
    """Remove our filters and labels from a mailbox, and nothing else.

    days_back: first move the notices of the last days_back days back to the inbox. Raises UsageError for an unknown
    account, GmailError when Google does not answer; a second call does the rest.
    """
    account = accounts.get(email)
    # Stops the passes of all processes: they would repair what is removed here.
    accounts.update(account.email, undoing=True)
    passes.forget(account.email)
    try:
        _undo(passes.mailbox(account.email), account, clock, days_back)
    except SignInAgainError as error:
        raise SignInAgainError(Cause.RULES_KEPT, problem=error) from error


def _undo(mailbox: Mailbox, account: Account, clock: Clock, days_back: int) -> None:
    # Filters whose ids were not stored because of a kill are recognised by their content.
    searches = queries(account.personal_address)
    current = rules.read_current(
        mailbox,
        labels=account.labels,
        filter_ids=account.filter_ids,
        wanted=frozenset().union(
            *(
                wanted_filters(searches, address, mark_read=mark_read)
                for address in (None, account.forward_to)
                for mark_read in (False, True)
            )
        ),
    )
    if days_back and (label := current.labels.get(OPT_OUTS)):
        after = f"after:{int((clock.now() - timedelta(days=days_back)).timestamp())}"
        found = [ref.id for page in mailbox.find(query=after, label_id=label) for ref in page]
        mailbox.change(found, Change(add=frozenset({INBOX})))
    rules.remove(
        mailbox,
        current,
        adopted=account.adopted or (),
        own_address=account.personal_address,
        shared=rules.other_program_address(current) is not None,
    )


def disconnect(settings: Settings, accounts: Accounts, passes: Passes, email: str) -> None:
    """Revoke the permission at Google and delete the account; its blocks stay.

    Raises UsageError for an unknown account, GmailError when Google does not answer; the account then stays.
    A permission that cannot be decrypted, or has already ended, is no obstacle.
    """
    account = accounts.get(email)
    try:
        revoke(accounts.grant(account.email), settings.revoke_url)
    except SignInAgainError:
        log.warning(
            "The permission could not be opened; remove it at Google by hand.", extra=fields(account=email)
        )
    passes.forget(account.email)
    accounts.remove(account.email)
