"""File mail in the mailbox after a person decided about it on the review list."""

import logging
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from threading import Lock
from typing import Literal

from worker.block_list.review import Review, ReviewItem
from worker.errors import BuyerblockError
from worker.events import fields
from worker.gmail.model import Change
from worker.gmail.wanted import INBOX, OPT_OUTS, QUEUE, REVIEW, UNREAD
from worker.mailbox_pass.passes import Passes
from worker.owner.accounts import Account, Accounts

log = logging.getLogger(__name__)

# blocked: it was a notice. dismissed: it was not a notice. again: judge it again, since its sender is now trusted.
# not blocked, not dismissed: the decision was undone.
Decision = Literal["blocked", "dismissed", "again", "not blocked", "not dismissed"]
_ADDED: dict[Decision, tuple[str, ...]] = {
    "blocked": (OPT_OUTS,),
    "dismissed": (),
    "again": (QUEUE,),
    "not blocked": (REVIEW, INBOX, UNREAD),
    "not dismissed": (REVIEW,),
}
_REMOVED: dict[Decision, tuple[str, ...]] = {
    "blocked": (REVIEW, INBOX, UNREAD),
    "dismissed": (REVIEW,),
    "again": (REVIEW,),
    "not blocked": (OPT_OUTS,),
    "not dismissed": (),
}
_one_at_a_time = Lock()


def file_decided(
    accounts: Accounts, passes: Passes, review: Review, items: Iterable[ReviewItem], decision: Decision
) -> None:
    """File the mails of these items by the decision. Skip items whose decision has changed since.

    Gmail's errors are only logged: the decision itself is already stored.
    """
    with _one_at_a_time:
        unchanged = [item for item in items if _is_current(review.get(item.id), decision)]
        for email, of_account in groupby(
            sorted(unchanged, key=attrgetter("account")), key=attrgetter("account")
        ):
            try:
                account = accounts.get(email)
                change = _change(account, decision)
                passes.mailbox(email).change([item.gmail_id for item in of_account], change)
            except BuyerblockError as error:
                log.warning(
                    "Mail that was decided about stays where it is: %s", error, extra=fields(account=email)
                )


def _is_current(item: ReviewItem | None, decision: Decision) -> bool:
    return item is not None and item.state == (
        decision if decision in ("blocked", "dismissed") else "waiting"
    )


def _change(account: Account, decision: Decision) -> Change:
    labels = {**account.labels, INBOX: INBOX, **({UNREAD: UNREAD} if account.mark_read else {})}
    return Change(
        add=frozenset(labels[name] for name in _ADDED[decision] if name in labels),
        remove=frozenset(labels[name] for name in _REMOVED[decision] if name in labels),
    )
