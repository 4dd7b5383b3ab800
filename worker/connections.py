"""Connect a mailbox after a sign-in, and disconnect it for good."""

from worker.accounts import Account, Accounts
from worker.clock import Clock
from worker.gmail import rules
from worker.gmail.credentials import Grant, revoke
from worker.gmail.mailbox import Mailbox
from worker.passes import Passes
from worker.settings import Settings


def connect(settings: Settings, accounts: Accounts, passes: Passes, clock: Clock, grant: Grant) -> Account:
    """Remember the mailbox that a new grant opens, and return its account.

    The address is asked of Google, never of the browser. Raises GmailError.
    """
    mailbox = Mailbox(
        grant, gmail_url=settings.gmail_url, units_per_minute=settings.units_per_minute, clock=clock
    )
    try:
        email = mailbox.address()
    finally:
        mailbox.close()
    passes.forget(email)
    return accounts.connect(email, grant, now=clock.now())


def disconnect(settings: Settings, accounts: Accounts, passes: Passes, email: str, *, undo: bool) -> None:
    """Take the permission back at Google and forget the account; its blocks stay.

    undo: remove our filters and labels from the mailbox first. Raises UsageError for an unknown
    account, GmailError when Google does not answer; the account then stays connected.
    """
    account = accounts.get(email)
    if undo:
        rules.remove(passes.mailbox(account.email), labels=account.labels, filter_ids=account.filter_ids)
    revoke(accounts.grant(account.email), settings.revoke_url)
    passes.forget(account.email)
    accounts.remove(account.email)
