"""Connect a mailbox after a sign-in, and disconnect it."""

import logging
from contextlib import closing
from datetime import timedelta

from worker.clock import Clock
from worker.errors import SignInAgainError
from worker.events import fields
from worker.gmail import rules
from worker.gmail.credentials import Grant, revoke
from worker.gmail.mailbox import Mailbox
from worker.gmail.model import Change
from worker.gmail.wanted import INBOX, OPT_OUTS, queries, wanted_filters
from worker.mailbox_pass.passes import Passes, open_mailbox
from worker.owner.accounts import Account, Accounts
from worker.problems import Cause
from worker.settings import Settings

log = logging.getLogger(__name__)


def connect(settings: Settings, accounts: Accounts, passes: Passes, clock: Clock, grant: Grant) -> Account:
    """Remember the mailbox that a new grant opens, and return its account. Raises GmailError."""
    account = accounts.connect(address_of(settings, clock, grant), grant, now=clock.now())
    # Only now: a pass that starts in between would keep the old permission.
    passes.forget(account.email)
    return account


def address_of(settings: Settings, clock: Clock, grant: Grant) -> str:
    """Return the address of the mailbox that a grant opens; asked of Google, since a browser could say anything.

    Raises GmailError.
    """
    with closing(open_mailbox(settings, clock, grant)) as mailbox:
        return mailbox.address()


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
        wanted=wanted_filters(searches, None) | wanted_filters(searches, account.forward_to),
    )
    if days_back and (label := there.labels.get(OPT_OUTS)):
        after = f"after:{int((clock.now() - timedelta(days=days_back)).timestamp())}"
        found = [ref.id for page in mailbox.find(query=after, label_id=label) for ref in page]
        mailbox.change(found, Change(add=frozenset({INBOX})))
    rules.remove(mailbox, there)


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
