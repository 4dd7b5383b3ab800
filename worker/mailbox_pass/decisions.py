"""What becomes, in the mailbox, of mail that a person has decided about on the review list."""

import logging
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Literal

from worker.block_list.review import ReviewItem
from worker.errors import BuyerblockError
from worker.events import fields
from worker.gmail.model import Change
from worker.gmail.wanted import INBOX, OPT_OUTS, QUEUE, REVIEW, UNREAD
from worker.mailbox_pass.passes import Passes
from worker.owner.accounts import Accounts

log = logging.getLogger(__name__)

# blocked: it was a notice. dismissed: it was none. again: judge it once more, since its sender is trusted now.
Decision = Literal["blocked", "dismissed", "again"]
_ADDED = {"blocked": OPT_OUTS, "dismissed": None, "again": QUEUE}
_REMOVED = {"blocked": (REVIEW, INBOX, UNREAD), "dismissed": (REVIEW,), "again": (REVIEW,)}


def file_decided(accounts: Accounts, passes: Passes, items: Iterable[ReviewItem], decision: Decision) -> None:
    """File the mails of these items by the decision.

    What Gmail refuses is logged: the decision itself is kept already.
    """
    for email, of_account in groupby(sorted(items, key=attrgetter("account")), key=attrgetter("account")):
        try:
            account = accounts.get(email)
            labels = {**account.labels, INBOX: INBOX, **({UNREAD: UNREAD} if account.mark_read else {})}
            added = labels.get(_ADDED[decision] or "")
            change = Change(
                add=frozenset({added} if added else ()),
                remove=frozenset(labels[name] for name in _REMOVED[decision] if name in labels),
            )
            passes.mailbox(email).change([item.gmail_id for item in of_account], change)
        except BuyerblockError as error:
            log.warning(
                "Mail that was decided about stays where it is: %s", error, extra=fields(account=email)
            )
