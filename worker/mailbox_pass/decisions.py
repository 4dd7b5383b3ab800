"""What becomes, in the mailbox, of mail that a person has decided about on the review list."""

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

# blocked: it was a notice. dismissed: it was none. again: judge it once more, since its sender is trusted now. The
# others take a decision back.
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
    """File the mails of these items by the decision, save those about which another one was made meanwhile.

    What Gmail refuses is logged: the decision itself is kept already.
    """
    with _one_at_a_time:
        holding = [item for item in items if _holds(review.get(item.id), decision)]
        for email, of_account in groupby(
            sorted(holding, key=attrgetter("account")), key=attrgetter("account")
        ):
            try:
                account = accounts.get(email)
                change = _change(account, decision)
                passes.mailbox(email).change([item.gmail_id for item in of_account], change)
            except BuyerblockError as error:
                log.warning(
                    "Mail that was decided about stays where it is: %s", error, extra=fields(account=email)
                )


def _holds(item: ReviewItem | None, decision: Decision) -> bool:
    return item is not None and item.state == (
        decision if decision in ("blocked", "dismissed") else "waiting"
    )


def _change(account: Account, decision: Decision) -> Change:
    labels = {**account.labels, INBOX: INBOX, **({UNREAD: UNREAD} if account.mark_read else {})}
    return Change(
        add=frozenset(labels[name] for name in _ADDED[decision] if name in labels),
        remove=frozenset(labels[name] for name in _REMOVED[decision] if name in labels),
    )
