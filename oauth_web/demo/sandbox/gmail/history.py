"""``users.history``, and the profile, which has the newest history id."""

from typing import Any

from oauth_web.demo.sandbox.gmail.call import Call
from oauth_web.demo.sandbox.history import Record
from oauth_web.demo.sandbox.refusals import invalid

_KEYS = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}


def get_profile(call: Call) -> dict[str, Any]:
    mailbox = call.mailbox
    return {
        "emailAddress": mailbox.email,
        "messagesTotal": len(mailbox.messages),
        "threadsTotal": len({stored.thread_id for stored in mailbox.messages.values()}),
        "historyId": str(mailbox.history.last_id),
    }


def list_(call: Call) -> dict[str, Any]:
    """List changes after ``startHistoryId``. The page token is the id of the last listed change."""
    start, token = call.one("startHistoryId"), call.one("pageToken")
    if not start.isdigit():
        raise invalid("Missing startHistoryId" if not start else "Invalid startHistoryId")
    if token and not token.isdigit():
        raise invalid("Invalid pageToken")
    kinds, label = call.query.get("historyTypes", list(_KEYS)), call.one("labelId")
    records = [
        record
        for record in call.mailbox.history.since(int(start))
        if record.kind in kinds
        and record.id > int(token or 0)
        and (not label or label in record.labels or label in record.changed)
    ]
    page = records[: call.page_size()]
    reply: dict[str, Any] = {"historyId": str(call.mailbox.history.last_id)}
    if page:
        reply["history"] = [_record(record) for record in page]
    if len(records) > len(page):
        reply["nextPageToken"] = str(page[-1].id)
    return reply


def _record(record: Record) -> dict[str, Any]:
    message = {"id": record.message_id, "threadId": record.thread_id}
    change: dict[str, Any] = {"message": message | {"labelIds": list(record.labels)}}
    if record.changed:
        change["labelIds"] = list(record.changed)
    return {"id": str(record.id), "messages": [message], _KEYS[record.kind]: [change]}
