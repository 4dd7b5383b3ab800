"""Messages in the form of the Standard Webhooks specification, so that ready-made libraries can check them."""

import base64
import hashlib
import hmac
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson

from worker.database import format_time
from worker.webhook.announcements import Announcement
from worker.webhook.outbox import Batch


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent. id: the same for the same content."""

    id: str
    body: bytes


def batch_message(batch: Batch, *, now: datetime) -> Message:
    """Return the message of a batch."""
    if batch.replaced:
        document = {"type": "blocks.replaced", "timestamp": format_time(now), "data": {}}
        return Message(f"{batch.after.lineage}-{batch.after.sequence}-replaced", orjson.dumps(document))
    first, last = batch.events[0], batch.events[-1]
    events = [asdict(event) for event in batch.events]
    document = {"type": "blocks.changed", "timestamp": last.at, "data": {"events": events}}
    # Both ends: a message that was not acknowledged may have grown when it is sent again. No dot, since the
    # specification separates id, time and body by dots.
    return Message(f"{first.id}_{last.id}", orjson.dumps(document))


def announcement_message(announcement: Announcement) -> Message:
    """Return the message of an announcement."""
    document = {"type": announcement.type, "timestamp": announcement.at, "data": announcement.data}
    # No dot in the id, as above.
    return Message(announcement.id.replace(".", "_"), orjson.dumps(document))


def test_message(*, now: datetime) -> Message:
    """Return a test message."""
    time = format_time(now)
    return Message(f"test-{time}", orjson.dumps({"type": "test", "timestamp": time, "data": {}}))


def headers(message: Message, secret: str, *, now: datetime) -> dict[str, str]:
    """Return the headers that prove who sent it, and when: HMAC-SHA256 over id, time and body."""
    time = str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((message.id.encode(), time.encode(), message.body))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "buyerblock",
        "webhook-id": message.id,
        "webhook-timestamp": time,
        "webhook-signature": f"v1,{signature}",
    }
