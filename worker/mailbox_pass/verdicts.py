"""Judge messages and store their verdicts. Only then may the messages be filed."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from worker.block_list.block_list import BlockList
from worker.block_list.review import Review, ReviewItem, item_id, sighting_of
from worker.gmail.model import Message
from worker.notices.doubts import Doubt, Reason
from worker.notices.judge import judge
from worker.notices.model import OptOut, Suspect, Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trust:
    """forwarders: addresses whose forwards are accepted. redirectors: addresses and domains that may change mail."""

    forwarders: frozenset[str] = frozenset()
    redirectors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    message: Message
    verdict: Verdict


def judge_messages(messages: Iterable[Message], trust: Trust) -> list[Judged]:
    """Judge messages. The returned messages have an empty ``raw``, to free memory."""
    return [Judged(replace(it, raw=b""), _verdict(it, trust)) for it in messages]


def _verdict(message: Message, trust: Trust) -> Verdict:
    try:
        return judge(
            message.raw,
            trusted=trust.forwarders,
            redirectors=trust.redirectors,
            from_owner="SENT" in message.label_ids,
        )
    except Exception as error:
        # Without the error's text: it may contain text of the mail.
        log.error("A mail could not be judged (%s); it waits under Review.", type(error).__name__)  # noqa: TRY400
        return Suspect(reason=Reason(Doubt.NOT_READABLE))


def make_durable(judged: Iterable[Judged], account: str, block_list: BlockList, review: Review) -> None:
    """Add opt-outs to the block list and suspects to the review list; both are on disk on return.

    Mail that is no longer a suspect, because its sender is now trusted, is removed from the review list.
    """
    judged = list(judged)
    sightings, suspects = [], []
    for it in judged:
        message = it.message
        match it.verdict:
            case OptOut() as notice:
                received_at = message.received_at
                sightings.append(
                    sighting_of(notice, account=account, message_id=message.id, received_at=received_at)
                )
            case Suspect() as suspect:
                suspects.append(_review_item(account, message, suspect))
    if sightings:
        block_list.record(sightings)
    if suspects:
        review.add(suspects)
    review.forget(item_id(account, it.message.id) for it in judged if not isinstance(it.verdict, Suspect))


def _review_item(account: str, message: Message, verdict: Suspect) -> ReviewItem:
    return ReviewItem(
        account=account,
        gmail_id=message.id,
        message_id=verdict.message_id or message.id,
        received_at=message.received_at,
        reason=verdict.reason,
        subject=verdict.subject,
        sender=verdict.sender,
        address=verdict.address,
        order_id=verdict.order_id,
        marketplace=verdict.marketplace,
    )
