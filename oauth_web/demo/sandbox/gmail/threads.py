"""``users.threads``: complete threads, even if a search found only one of their messages."""

from typing import Any

from oauth_web.demo.sandbox.gmail.call import Call, page_token
from oauth_web.demo.sandbox.gmail.resource import message_resource
from oauth_web.demo.sandbox.refusals import invalid
from oauth_web.demo.sandbox.stored import Stored


def list_(call: Call) -> dict[str, Any]:
    """List threads with a matching message, sorted by the newest matching message."""
    found = call.mailbox.find(
        call.search(),
        call.query.get("labelIds", []),
        hidden_too=call.flag("includeSpamTrash"),
        before=call.page_start(),
        now=call.now,
    )
    size = call.page_size()
    page: dict[str, Stored] = {}
    last: Stored | None = None
    token = ""
    for stored in found:
        if last is not None and len(page) == size and stored.thread_id not in page:
            token = page_token(last)
            break
        page.setdefault(stored.thread_id, stored)
        last = stored
    reply: dict[str, Any] = {"resultSizeEstimate": 201 if token else len(page)}
    if page:
        reply["threads"] = [_listed(call, thread_id) for thread_id in page]
    return reply | ({"nextPageToken": token} if token else {})


def get(call: Call) -> dict[str, Any]:
    """Return all messages of a thread, including Trash and Spam; there is no raw format."""
    form = call.one("format", "full")
    if form == "raw":
        raise invalid("Invalid value at 'format', \"raw\"")
    wanted = call.query.get("metadataHeaders", [])
    messages = call.mailbox.thread(call.path["id"])
    return {
        "id": call.path["id"],
        "historyId": str(max(stored.history_id for stored in messages)),
        "messages": [message_resource(stored, form, wanted) for stored in messages],
    }


def _listed(call: Call, thread_id: str) -> dict[str, Any]:
    newest = call.mailbox.thread(thread_id)[-1]
    return {"id": thread_id, "snippet": newest.snippet, "historyId": str(newest.history_id)}
