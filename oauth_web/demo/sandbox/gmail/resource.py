"""A message in the formats of the API: minimal, metadata, full, raw."""

import base64
from collections.abc import Collection
from email.message import Message
from typing import Any

from oauth_web.demo.sandbox import mail as mime
from oauth_web.demo.sandbox.refusals import not_found
from oauth_web.demo.sandbox.stored import Stored

# Bytes. Larger bodies, and parts with a file name, need a separate call. Gmail's limit is unknown.
LARGEST_INLINE = 1_000_000


def message_resource(stored: Stored, form: str, wanted_headers: Collection[str] = ()) -> dict[str, Any]:
    """Return the message in one of the four formats."""
    resource: dict[str, Any] = {
        "id": stored.id,
        "threadId": stored.thread_id,
        "labelIds": sorted(stored.labels),
        "snippet": stored.snippet,
        "historyId": str(stored.history_id),
        "internalDate": str(stored.received_ms),
        "sizeEstimate": len(stored.raw),
    }
    if not stored.received_ms:
        del resource["internalDate"]  # Google's JSON has no zeros and no empty texts
    if form == "raw" and stored.raw:
        resource["raw"] = encoded(stored.raw)
    elif form == "full":
        resource["payload"] = _payload(mime.parse(stored.raw), "")
    elif form == "metadata":
        mail = mime.parse(stored.raw)
        wanted = {name.lower() for name in wanted_headers}
        headers = [one for one in _headers(mail) if not wanted or one["name"].lower() in wanted]
        resource["payload"] = {"mimeType": mail.get_content_type(), "headers": headers}
    return resource


def attachment_resource(stored: Stored, attachment_id: str) -> dict[str, Any]:
    """Return the body of a part that ``full`` does not include."""
    for leaf in mime.leaves(mime.parse(stored.raw)):
        raw = mime.data(leaf)
        if _attachment_id(raw) == attachment_id:
            return {"size": len(raw), "data": encoded(raw)}
    raise not_found()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _payload(part: Message, part_id: str) -> dict[str, Any]:
    below = mime.children(part)
    tree: dict[str, Any] = {
        "partId": part_id,
        "mimeType": part.get_content_type(),
        "filename": mime.filename(part),
        "headers": _headers(part),
        "body": {"size": 0} if below else _body(part),
    }
    if below:
        prefix = f"{part_id}." if part_id else ""
        tree["parts"] = [_payload(child, f"{prefix}{at}") for at, child in enumerate(below)]
    return tree


def _body(part: Message) -> dict[str, Any]:
    raw = mime.data(part)
    if part.get_content_maintype() == "text" and not mime.filename(part):
        # Gmail returns text in UTF-8, but the part's headers still have the original charset.
        raw = mime.part_text(part).encode("utf-8", "replace")
    if mime.filename(part) or len(raw) > LARGEST_INLINE:
        return {"attachmentId": _attachment_id(raw), "size": len(raw)}
    return {"size": len(raw), "data": encoded(raw)} if raw else {"size": 0}


def _headers(part: Message) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in mime.headers(part)]


def _attachment_id(raw: bytes) -> str:
    # Gmail's ids are long, opaque and different in every reply; ours are stable.
    return f"ANGjdJ{hash(raw) & 0xFFFFFFFFFFFFFFFF:016x}"
