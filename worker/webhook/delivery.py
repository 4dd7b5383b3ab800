"""Send the messages that are due. After a crash, a message whose success was not stored is sent again."""

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

MAX_MESSAGES = 50  # of one call, so that a stop of the program does not wait for long

log = logging.getLogger(__name__)


Send = Callable[..., str]
"""Like ``sending.send``."""


def deliver_due(
    webhook: Webhook,
    block_list: BlockList,
    announcements: Announcements,
    *,
    now: Callable[[], datetime],
    send: Send = post,
) -> int:
    """Send the unsent messages, if a try is due; return how many were delivered.

    Called often: without a webhook or new messages it costs only a few short queries. Calls must not overlap, since
    messages could arrive out of order. Raises StorageError.
    """
    hook = webhook.get()
    if hook is None:
        announcements.clear()
        return 0
    delivered = 0
    if not hook.is_due(now()):
        return delivered
    # Read all before sending: that may take minutes, and no query should stay open.
    changes = list(islice(unsent(webhook.database, block_list, hook.position, now()), MAX_MESSAGES))
    for message, position in (*changes, *((it, None) for it in announcements.waiting())):
        after = replace(hook.reset(), position=position or hook.position)
        updated = _step(webhook, hook, message, after, now, send)
        if updated is None:
            return delivered
        hook = updated
        delivered += message is not None
        if message and position is None:
            announcements.remove(message)
    return delivered


def _step(
    webhook: Webhook,
    hook: Hook,
    message: Message | None,
    after: Hook,
    now: Callable[[], datetime],
    send: Send,
) -> Hook | None:
    """Send a message, if there is one, and store the outcome; return the new state, None to stop for now."""
    if message is not None and (problem := _send(hook, message, now(), send)):
        log.warning(
            "The webhook did not take a message: %s", problem, extra=fields(failures=hook.failures + 1)
        )
        after = hook.failed(problem, now())
    # update() fails if a person has changed the webhook meanwhile; the next call uses the new one.
    return after if webhook.update(hook, after) and not after.problem else None


def send_test(webhook: Webhook, *, now: datetime, send: Send = post) -> str:
    """Send a test message; return "" if it was accepted, else one sentence with the reason.

    Raises UsageError if there is no webhook.
    """
    time = format_time(now)
    return _send(webhook.existing(), Message(id=f"test-{time}", type="test", at=time, data={}), now, send)


def _send(hook: Hook, message: Message, now: datetime, send: Send) -> str:
    body = message.body
    signed = headers(message.id, body, hook.secret, now=now)
    return send(hook.url, signed, body, allow_private=hook.allow_private)
