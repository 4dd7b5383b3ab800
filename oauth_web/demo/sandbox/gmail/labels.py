"""``users.labels``. Only ``get`` returns counts, not the list."""

from typing import Any

from oauth_web.demo.sandbox.gmail.call import Call
from oauth_web.demo.sandbox.labels import Label
from oauth_web.demo.sandbox.refusals import invalid

# Ignored in requests, because clients often send back a complete label.
_READ_ONLY = frozenset({"id", "type", "messagesTotal", "messagesUnread", "threadsTotal", "threadsUnread"})


def list_(call: Call) -> dict[str, Any]:
    return {"labels": [label.resource() for label in call.mailbox.labels.values()]}


def get(call: Call) -> dict[str, Any]:
    label = call.mailbox.label(call.path["id"])
    return label.resource() | call.mailbox.counts(label.id)


def create(call: Call) -> dict[str, Any]:
    if call.body.get("type") == "system":
        raise invalid("Invalid label: system labels cannot be created")
    return call.mailbox.create_label(call.body).resource()


def update(call: Call) -> dict[str, Any]:
    """Replace a label: fields that are not in the body get their defaults."""
    if call.body.get("id", call.path["id"]) != call.path["id"]:
        raise invalid("Label id in the body does not match the one in the address")
    return call.mailbox.change_label(call.path["id"], call.body).resource()


def patch(call: Call) -> dict[str, Any]:
    """Change only the fields in the body."""
    old: Label = call.mailbox.label(call.path["id"])
    changes = {name: value for name, value in call.body.items() if name not in _READ_ONLY}
    return call.mailbox.change_label(old.id, {**old.resource(), **changes}).resource()


def delete(call: Call) -> None:
    call.mailbox.delete_label(call.path["id"])
