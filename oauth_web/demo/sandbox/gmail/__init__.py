"""The Gmail API: the methods of the sandbox, by Google's names.

``api.answer`` checks sign-in, scope, quota and faults of a request, and calls one of these functions. Each one gets a
checked ``Call`` and returns the reply's content, or None for an empty reply. Other methods of Google get status 501.
"""

from collections.abc import Callable, Mapping
from typing import Any

from oauth_web.demo.sandbox.gmail import history, labels, messages, settings, threads
from oauth_web.demo.sandbox.gmail.call import Call

METHODS: Mapping[str, Callable[[Call], dict[str, Any] | None]] = {
    "getProfile": history.get_profile,
    "history.list": history.list_,
    "labels.create": labels.create,
    "labels.delete": labels.delete,
    "labels.get": labels.get,
    "labels.list": labels.list_,
    "labels.patch": labels.patch,
    "labels.update": labels.update,
    "messages.attachments.get": messages.get_attachment,
    "messages.batchModify": messages.batch_modify,
    "messages.get": messages.get,
    "messages.insert": messages.insert,
    "messages.list": messages.list_,
    "messages.modify": messages.modify,
    "messages.trash": messages.trash,
    "messages.untrash": messages.untrash,
    "settings.filters.create": settings.create_filter,
    "settings.filters.delete": settings.delete_filter,
    "settings.filters.get": settings.get_filter,
    "settings.filters.list": settings.list_filters,
    "settings.forwardingAddresses.get": settings.get_forwarding,
    "settings.forwardingAddresses.list": settings.list_forwarding,
    "settings.sendAs.get": settings.get_send_as,
    "settings.sendAs.list": settings.list_send_as,
    "threads.get": threads.get,
    "threads.list": threads.list_,
}
