"""Messages in the format of the Standard Webhooks specification, so that existing libraries can verify them."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. id: the same for every try with the same content. at: RFC 3339. data: plain JSON values."""

    id: str
    type: str
    at: str
    data: dict[str, Any]

    @property
    def body(self) -> bytes:
        return orjson.dumps({"type": self.type, "timestamp": self.at, "data": self.data})


def headers(message_id: str, body: bytes, secret: str, *, now: datetime) -> dict[str, str]:
    """Return the headers with the signature: HMAC-SHA256 over id, time and body."""
    # No dots in the id: the specification separates id, time and body by dots.
    message_id, time = message_id.replace(".", "_"), str(int(now.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((message_id.encode(), time.encode(), body))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "buyerblock",
        "webhook-id": message_id,
        "webhook-timestamp": time,
        "webhook-signature": f"v1,{signature}",
    }
