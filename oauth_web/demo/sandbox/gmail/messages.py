"""``users.messages`` and its attachments."""

import base64
from itertools import islice
from typing import Any

from oauth_web.demo.sandbox.gmail.call import Call, page_token
from oauth_web.demo.sandbox.gmail.resource import attachment_resource, message_resource
from oauth_web.demo.sandbox.refusals import invalid

MAX_IDS = 1000


def list_(call: Call) -> dict[str, Any]:
    """List ids, roughly newest first; the estimate is as inaccurate as Gmail's."""
    size = call.page_size()
    found = call.mailbox.find(
        call.search(),
        call.query.get("labelIds", []),
        hidden_too=call.flag("includeSpamTrash"),
        before=call.page_start(),
        now=call.now,
    )
    page = list(islice(found, size + 1))
    reply: dict[str, Any] = {"resultSizeEstimate": len(page) if len(page) <= size else 201}
    if page:
        reply["messages"] = [{"id": one.id, "threadId": one.thread_id} for one in page[:size]]
    if len(page) > size:
        reply["nextPageToken"] = page_token(page[size - 1])
    return reply


def get(call: Call) -> dict[str, Any]:
    stored = call.mailbox.message(call.path["id"])
    return message_resource(stored, call.one("format", "full"), call.query.get("metadataHeaders", []))


def insert(call: Call) -> dict[str, Any]:
    """Insert a mail from a program of the account."""
    try:
        raw = base64.urlsafe_b64decode(call.body["raw"])
    except (KeyError, ValueError) as error:
        raise invalid("Missing or malformed raw message") from error
    labels = set(call.body.get("labelIds") or ())
    call.mailbox.check_change(labels, set())
    stored = call.mailbox.insert(raw, labels, now=call.now)
    return {"id": stored.id, "threadId": stored.thread_id, "labelIds": sorted(stored.labels)}


def modify(call: Call) -> dict[str, Any]:
    stored = call.mailbox.message(call.path["id"])
    add, remove = _change(call)
    call.mailbox.modify(stored, add, remove)
    return {"id": stored.id, "threadId": stored.thread_id, "labelIds": sorted(stored.labels)}


def batch_modify(call: Call) -> None:
    """Change up to MAX_IDS messages.

    Gmail's behaviour for a deleted message is undocumented; here it is ignored.
    """
    ids = call.body.get("ids") or []
    if not ids:
        raise invalid("No message ids specified")
    if len(ids) > MAX_IDS:
        raise invalid(f"Too many message ids, the limit is {MAX_IDS}")
    add, remove = _change(call)
    for message_id in ids:
        if message_id in call.mailbox.messages:
            call.mailbox.modify(call.mailbox.messages[message_id], add, remove)


def trash(call: Call) -> dict[str, Any]:
    stored = call.mailbox.message(call.path["id"])
    call.mailbox.trash(stored)
    return {"id": stored.id, "threadId": stored.thread_id, "labelIds": sorted(stored.labels)}


def untrash(call: Call) -> dict[str, Any]:
    stored = call.mailbox.message(call.path["id"])
    call.mailbox.modify(stored, set(), {"TRASH"})
    return {"id": stored.id, "threadId": stored.thread_id, "labelIds": sorted(stored.labels)}


def get_attachment(call: Call) -> dict[str, Any]:
    return attachment_resource(call.mailbox.message(call.path["messageId"]), call.path["id"])


def _change(call: Call) -> tuple[set[str], set[str]]:
    add, remove = set(call.body.get("addLabelIds") or ()), set(call.body.get("removeLabelIds") or ())
    if not add and not remove:
        raise invalid("No label add or removes specified")
    if both := add & remove:
        raise invalid(f"Cannot both add and remove the same label: {min(both)}")
    call.mailbox.check_change(add, remove)
    return add, remove
