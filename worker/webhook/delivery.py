"""Send the webhook what is due. A message whose success was not stored is sent again."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import islice

from worker.block_list.block_list import BlockList
from worker.database import format_time
from worker.events import fields
from worker.webhook.announcements import Announcements
from worker.webhook.hook import Hook, Webhook
from worker.webhook.message import Message, headers
from worker.webhook.outbox import unsent
from worker.webhook.sending import send as post

MAX_MESSAGES = 50  # in one call, so that a program that stops does not wait for a long outbox

log = logging.getLogger(__name__)


Send = Callable[..., str]
"""Sends a message as ``sending.send`` does."""


def deliver_due(
    webhook: Webhook,
    block_list: BlockList,
    announcements: Announcements,
    *,
    now: Callable[[], datetime],
    send: Send = post,
) -> int:
    """Send what the webhook was not sent yet, if it is due; return how many messages were taken.

    It is called often: without a webhook, or without news, it costs a few short queries. Calls must not overlap, else
    messages could arrive out of order. Raises StorageError.
    """
    hook = webhook.get()
    if hook is None:
        announcements.clear()
        return 0
    taken = 0
    if not hook.is_due(now()):
        return taken
    # All of them first: sending may take minutes, for which no query should stay open.
    changes = list(islice(unsent(webhook.database, block_list, hook.position, now()), MAX_MESSAGES))
    for message, position in (*changes, *((it, None) for it in announcements.waiting())):
        after = replace(hook.reset(), position=position or hook.position)
        updated = _step(webhook, hook, message, after, now, send)
        if updated is None:
            return taken
        hook = updated
        taken += message is not None
        if message and position is None:
            announcements.remove(message)
    return taken


def _step(
    webhook: Webhook,
    hook: Hook,
    message: Message | None,
    after: Hook,
    now: Callable[[], datetime],
    send: Send,
) -> Hook | None:
    """Send a message, if there is one, and store the outcome; return the webhook, None if that is all for now."""
    if message is not None and (problem := _send(hook, message, now(), send)):
        log.warning(
            "The webhook did not take a message: %s", problem, extra=fields(failures=hook.failures + 1)
        )
        after = hook.failed(problem, now())
    # A person may have set another address meanwhile: that one is used at the next call.
    return after if webhook.update(hook, after) and not after.problem else None


def send_test(webhook: Webhook, *, now: datetime, send: Send = post) -> str:
    """Send a test message; return "" if it was taken, else one sentence that says why not.

    Raises UsageError if there is no webhook.
    """
    time = format_time(now)
    return _send(webhook.existing(), Message(id=f"test-{time}", type="test", at=time, data={}), now, send)


def _send(hook: Hook, message: Message, now: datetime, send: Send) -> str:
    body = message.body
    signed = headers(message.id, body, hook.secret, now=now)
    return send(hook.url, signed, body, allow_private=hook.allow_private)
