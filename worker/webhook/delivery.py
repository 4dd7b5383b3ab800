"""Tell the webhook what is due. Persist first: a message that was told but not noted is told again."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Protocol

from worker.block_list.block_list import BlockList
from worker.events import fields
from worker.webhook import sending
from worker.webhook.announcements import Announcements
from worker.webhook.hook import Hook, Webhook
from worker.webhook.message import Message, announced, headers, message_of, trial
from worker.webhook.outbox import batches

MOST_MESSAGES = 50  # in one call, so that a program that stops does not wait for a long outbox

log = logging.getLogger(__name__)


class Send(Protocol):
    """How a message gets there."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> str:
        """Return "" if it was taken, else one sentence that says why not."""


def deliver_due(
    webhook: Webhook,
    block_list: BlockList,
    announcements: Announcements,
    *,
    now: Callable[[], datetime],
    send: Send = sending.send,
) -> int:
    """Send what the webhook was not told yet, if it is due; return how many messages were taken.

    It is called often: without a webhook, or without news, it costs a look at a few files. Calls must
    not overlap, else messages could be told out of order. Raises StorageError.
    """
    hook = webhook.get()
    if hook is None:
        announcements.forget()
        return 0
    taken = 0
    if not hook.is_due(now()):
        return taken
    for batch in islice(batches(block_list, hook.place), MOST_MESSAGES):
        message = message_of(batch, now=now()) if batch.events or batch.replaced else None
        told = _tell(webhook, hook, message, replace(hook.well(), place=batch.after), now, send)
        if told is None:
            return taken
        hook = told
        taken += message is not None
    for announcement in announcements.waiting():
        told = _tell(webhook, hook, announced(announcement), hook.well(), now, send)
        if told is None:
            return taken
        hook = told
        announcements.done(announcement)
        taken += 1
    return taken


def _tell(
    webhook: Webhook,
    hook: Hook,
    message: Message | None,
    after: Hook,
    now: Callable[[], datetime],
    send: Send,
) -> Hook | None:
    """Send a message, if there is one, and remember how the webhook stands; None if that is all for now."""
    if message is not None and (problem := _sent(hook, message, now(), send)):
        log.warning("The webhook was not told: %s", problem, extra=fields(failures=hook.failures + 1))
        after = hook.failed(problem, now())
    # A person may have set another address meanwhile: that one is asked about at the next call.
    return after if webhook.update(hook, after) and not after.problem else None


def try_out(webhook: Webhook, *, now: datetime, send: Send = sending.send) -> str:
    """Send a message that tells nothing; return "" if it was taken, else one sentence that says why not.

    Raises UsageError if there is no webhook.
    """
    return _sent(webhook.existing(), trial(now=now), now, send)


def _sent(hook: Hook, message: Message, now: datetime, send: Send) -> str:
    signed = headers(message, hook.secret, now=now)
    return send(hook.url, signed, message.body, allow_private=hook.allow_private)
