"""Recognise a mailbox at a sign-in, under a new address too, and disconnect it."""

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

# Whose keys begin with an account's address, and what follows it there.
_KEYED_BY_ACCOUNT = {"review": ":", "judged": " ", "unresolved": " ", "unreadable": " "}


def address_of(settings: Settings, accounts: Accounts, clock: Clock, grant: Grant) -> tuple[str, str | None]:
    """Return the address of the mailbox that a grant opens, and by which it is connected, if that is another one.

    Asked of Google, since a browser could say anything. Raises GmailError.
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
    """Return whether an account's own filters are in a mailbox: its ids, which Gmail gave, and its secret address."""
    return any(it.id in account.filter_ids and account.personal_address in (it.query or "") for it in filters)


def rename(database: Database, accounts: Accounts, passes: Passes, former: str, email: str) -> None:
    """Let an account have the new address of its mailbox, with all that is kept by its address. Raises StorageError."""
    with database.together():
        accounts.rename(former, email)
        for table, separator in _KEYED_BY_ACCOUNT.items():
            _move(database.documents(table), f"{former}{separator}", f"{email}{separator}", email)
        destinations = database.documents("destinations")
        kept = {
            str(it.doc_id): {**it, "account": email} for it in destinations.walk() if it["account"] == former
        }
        destinations.put(kept)
    passes.forget(former)
    log.info("A mailbox has a new address.", extra=fields(account=email, formerly=former))


def _move(documents: Documents, start: str, new_start: str, email: str) -> None:
    found = {str(it.doc_id): it for it in documents.walk() if str(it.doc_id).startswith(start)}
    named = {"account": email}
    documents.put(
        {
            new_start + key.removeprefix(start): {**it, **(named if "account" in it else {})}
            for key, it in found.items()
        }
    )
    documents.delete(found)


def undo_rules(accounts: Accounts, passes: Passes, clock: Clock, email: str, *, days_back: int) -> None:
    """Remove our filters and labels from a mailbox, and nothing else.

    days_back: first put the notices received in so many days back into the inbox. Raises UsageError for an unknown
    account, GmailError when Google does not answer; asked again, it does the rest.
    """
    account = accounts.get(email)
    # From now on no pass of any process repairs what is being removed; a running one here ends.
    accounts.update(account.email, undoing=True)
    passes.forget(account.email)
    try:
        _undo(passes.mailbox(account.email), account, clock, days_back)
    except SignInAgainError as error:
        raise SignInAgainError(Cause.RULES_KEPT, problem=error) from error


def _undo(mailbox: Mailbox, account: Account, clock: Clock, days_back: int) -> None:
    # What could not be stored because of a kill is recognised by its content.
    searches = queries(account.personal_address)
    there = rules.look(
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
    if days_back and (label := there.labels.get(OPT_OUTS)):
        after = f"after:{int((clock.now() - timedelta(days=days_back)).timestamp())}"
        found = [ref.id for page in mailbox.find(query=after, label_id=label) for ref in page]
        mailbox.change(found, Change(add=frozenset({INBOX})))
    rules.remove(
        mailbox,
        there,
        adopted=account.adopted or (),
        own_address=account.personal_address,
        shared=rules.another_address(there) is not None,
    )


def disconnect(settings: Settings, accounts: Accounts, passes: Passes, email: str) -> None:
    """Take the permission back at Google and forget the account; its blocks stay.

    Raises UsageError for an unknown account, GmailError when Google does not answer; the account then stays.
    A permission that cannot be opened any more, or has ended already, does not prevent it.
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
