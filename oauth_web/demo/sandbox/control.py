"""``/sandbox/...``: the methods of ``handles.py`` for other processes, as JSON over HTTP.

===================  ====  ======================================================================
``state``            GET   accounts with messages by label names, labels, filters, ledger
``users``            POST  email, send_as, forwarding
``client-secrets``   POST  kind, redirect_uris; answers the client file
``deliver``          POST  email, raw (text) or raw_base64, received_at, labels, spam, sent
``faults``           POST  method, email, skip, times, and the fields of a Fault that are values
``settings``         POST  latency, index_lag, api_enabled, allowance, concurrency, testing
``expire-tokens``    POST  email
``revoke``           POST  email
``forwarding``       POST  email, address, status
``act``              POST  email, do: a user's action by its name, with its arguments as ``with``
===================  ====  ======================================================================
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson

from oauth_web.demo.sandbox.faults import Fault
from oauth_web.demo.sandbox.handles import Handles
from oauth_web.demo.sandbox.refusals import Refusal
from oauth_web.demo.sandbox.wire import Reply, Request, json_reply

Arguments = Mapping[str, Any]

_ACTIONS = frozenset(
    {
        *("create_label", "rename_label", "recolour_label", "delete_label", "create_filter", "delete_filter"),
        *("trash", "delete_message", "mark_read", "archive", "relabel", "forget_history", "change_address"),
    }
)
_SWITCHES = frozenset({"latency", "index_lag", "api_enabled"})
_LIMITS = frozenset({"allowance", "concurrency"})


def answer(sandbox: Handles, request: Request) -> Reply:
    """Run a command of another process; an invalid one gets status 400 with the reason."""
    name = request.path.removeprefix("/sandbox/")
    if request.verb == "GET" and name == "state":
        return json_reply(state(sandbox))
    if request.verb != "POST" or name not in _COMMANDS:
        return json_reply({"error": f"no such control: {request.verb} {name}"}, 404)
    try:
        return json_reply(_COMMANDS[name](sandbox, orjson.loads(request.body or b"{}")) or {})
    except Refusal as refusal:
        return refusal.reply()
    except (KeyError, TypeError, ValueError) as error:
        return json_reply({"error": f"{type(error).__name__}: {error}"}, 400)


def state(sandbox: Handles) -> dict[str, Any]:
    """Return the whole observable state."""
    return {
        email: {
            "messages": sandbox.mailbox(email),
            "labels": [label.resource() for label in mailbox.labels.values() if not label.system],
            "filters": [one.resource() for one in mailbox.filters.values()],
            "forwarding": mailbox.forwarding,
            "forwarded": [address for address, _ in mailbox.forwarded],
            "units": sandbox.units(email),
            "refusals": sandbox.refusals(email),
            "calls": [asdict(call) for call in sandbox.calls(email)],
        }
        for email, mailbox in sandbox.world.mailboxes.items()
    }


def _users(sandbox: Handles, arguments: Arguments) -> None:
    sandbox.add_user(
        arguments["email"], send_as=arguments.get("send_as", ()), forwarding=arguments.get("forwarding", ())
    )


def _client_secrets(sandbox: Handles, arguments: Arguments) -> dict[str, Any]:
    return sandbox.client_secrets(arguments.get("kind", "installed"), arguments.get("redirect_uris", ()))


def _deliver(sandbox: Handles, arguments: Arguments) -> dict[str, str]:
    raw = (
        base64.b64decode(arguments["raw_base64"]) if "raw_base64" in arguments else arguments["raw"].encode()
    )
    received_at = datetime.fromisoformat(arguments["received_at"]) if arguments.get("received_at") else None
    message_id = sandbox.deliver(
        arguments["email"],
        raw,
        received_at=received_at,
        labels=arguments.get("labels", ("INBOX", "UNREAD")),
        spam=arguments.get("spam", False),
        sent=arguments.get("sent", False),
    )
    return {"id": message_id}


def _faults(sandbox: Handles, arguments: Arguments) -> None:
    who = {name: arguments[name] for name in ("method", "email", "skip", "times") if name in arguments}
    values = {name: value for name, value in arguments.items() if name not in (*who, "before", "after")}
    sandbox.world.plan.add(Fault(**values), **who)


def _settings(sandbox: Handles, arguments: Arguments) -> None:
    for name, value in arguments.items():
        if name in _SWITCHES:
            setattr(sandbox.world, name, value)
        elif name in _LIMITS:
            setattr(sandbox.quota, name, value)
        elif name == "testing":
            sandbox.world.grants.testing = value
        else:
            raise KeyError(name)


def _expire_tokens(sandbox: Handles, arguments: Arguments) -> None:
    sandbox.user(arguments["email"]).expire_access_tokens()


def _revoke(sandbox: Handles, arguments: Arguments) -> None:
    sandbox.user(arguments["email"]).revoke()


def _forwarding(sandbox: Handles, arguments: Arguments) -> None:
    sandbox.user(arguments["email"]).set_forwarding(arguments["address"], arguments.get("status", "accepted"))


def _act(sandbox: Handles, arguments: Arguments) -> dict[str, Any]:
    if arguments["do"] not in _ACTIONS:
        raise KeyError(arguments["do"])
    return {"result": getattr(sandbox.user(arguments["email"]), arguments["do"])(**arguments.get("with", {}))}


_COMMANDS: Mapping[str, Callable[[Handles, Arguments], dict[str, Any] | None]] = {
    "users": _users,
    "client-secrets": _client_secrets,
    "deliver": _deliver,
    "faults": _faults,
    "settings": _settings,
    "expire-tokens": _expire_tokens,
    "revoke": _revoke,
    "forwarding": _forwarding,
    "act": _act,
}
