"""Decide the label changes for a judged message. Pure: verdict and labels in, label changes out."""

from collections.abc import Mapping

from worker.gmail.model import Change, Message
from worker.gmail.wanted import INBOX, OPT_OUTS, QUEUE, REVIEW, UNREAD
from worker.notices.model import OptOut, Suspect, Verdict


def filing(
    verdict: Verdict, message: Message, labels: Mapping[str, str], *, mark_read: bool = False
) -> Change:
    """Return the smallest change that files a message. labels: Gmail's ids by our names.

    mark_read: whether opt-outs are marked as read. Our filter may have archived mail that is no opt-out. Such mail goes
    back to the inbox, as unread if the filter marks mail as read.
    """
    queue, opt_outs, review = labels[QUEUE], labels[OPT_OUTS], labels[REVIEW]
    read = {UNREAD} if mark_read else set()
    back = {INBOX} | read if opt_outs in message.label_ids and INBOX not in message.label_ids else set()
    match verdict:
        case OptOut():
            add, remove = {opt_outs}, {queue, INBOX, review} | read
        case Suspect():
            add, remove = {review} | back, {queue, opt_outs}
        case _:
            add, remove = back, {queue, opt_outs, review}
    return Change(
        add=frozenset(add) - message.label_ids,
        remove=frozenset(remove) & (message.label_ids | {queue}),
    )
