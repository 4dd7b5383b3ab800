"""``users.settings``: filters, forwarding addresses and send-as addresses."""

from typing import Any

from oauth_web.demo.sandbox.gmail.call import Call
from oauth_web.demo.sandbox.refusals import not_found


def list_filters(call: Call) -> dict[str, Any]:
    """List filters under the key ``filter``, which is missing if there is none."""
    filters = [one.resource() for one in call.mailbox.filters.values()]
    return {"filter": filters} if filters else {}


def get_filter(call: Call) -> dict[str, Any]:
    return call.mailbox.filter(call.path["id"]).resource()


def create_filter(call: Call) -> dict[str, Any]:
    return call.mailbox.create_filter(call.body).resource()


def delete_filter(call: Call) -> None:
    call.mailbox.delete_filter(call.path["id"])


def list_forwarding(call: Call) -> dict[str, Any]:
    addresses = [_forwarding(call, address) for address in call.mailbox.forwarding]
    return {"forwardingAddresses": addresses} if addresses else {}


def get_forwarding(call: Call) -> dict[str, Any]:
    address = call.path["forwardingEmail"].lower()
    if address not in call.mailbox.forwarding:
        raise not_found()
    return _forwarding(call, address)


def list_send_as(call: Call) -> dict[str, Any]:
    return {"sendAs": [_send_as(call, address) for address in call.mailbox.send_as]}


def get_send_as(call: Call) -> dict[str, Any]:
    address = call.path["sendAsEmail"].lower()
    if address not in call.mailbox.send_as:
        raise not_found()
    return _send_as(call, address)


def _forwarding(call: Call, address: str) -> dict[str, str]:
    return {"forwardingEmail": address, "verificationStatus": call.mailbox.forwarding[address]}


def _send_as(call: Call, address: str) -> dict[str, Any]:
    # Google returns no verification status for the primary address.
    primary = address == call.mailbox.email
    resource: dict[str, Any] = {
        "sendAsEmail": address,
        "displayName": "",
        "replyToAddress": "",
        "signature": "",
    }
    if primary:
        return resource | {"isPrimary": True, "isDefault": True}
    return resource | {"treatAsAlias": True, "verificationStatus": "accepted"}
