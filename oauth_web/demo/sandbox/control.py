"""``/sandbox/...``: the handles of the sandbox for other processes, JSON in and out.

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

Wish = Mapping[str, Any]

_ACTIONS = frozenset(
    {
        *("create_label", "rename_label", "recolour_label", "delete_label", "create_filter", "delete_filter"),
        *("trash", "delete_message", "mark_read", "archive", "relabel", "forget_history", "change_address"),
    }
)
_SWITCHES = frozenset({"latency", "index_lag", "api_enabled"})
_LIMITS = frozenset({"allowance", "concurrency"})


def answer(sandbox: Handles, request: Request) -> Reply:
    """Do what another process wishes; a wish that makes no sense is a 400 with the reason."""
    name = request.path.removeprefix("/sandbox/")
    if request.verb == "GET" and name == "state":
        return json_reply(state(sandbox))
    if request.verb != "POST" or name not in _WISHES:
        return json_reply({"error": f"no such control: {request.verb} {name}"}, 404)
    try:
        return json_reply(_WISHES[name](sandbox, orjson.loads(request.body or b"{}")) or {})
    except Refusal as refusal:
        return refusal.reply()
    except (KeyError, TypeError, ValueError) as error:
        return json_reply({"error": f"{type(error).__name__}: {error}"}, 400)


def state(sandbox: Handles) -> dict[str, Any]:
    """Return everything that can be looked at."""
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


def _users(sandbox: Handles, wish: Wish) -> None:
    sandbox.add_user(wish["email"], send_as=wish.get("send_as", ()), forwarding=wish.get("forwarding", ()))


def _client_secrets(sandbox: Handles, wish: Wish) -> dict[str, Any]:
    return sandbox.client_secrets(wish.get("kind", "installed"), wish.get("redirect_uris", ()))


def _deliver(sandbox: Handles, wish: Wish) -> dict[str, str]:
    raw = base64.b64decode(wish["raw_base64"]) if "raw_base64" in wish else wish["raw"].encode()
    received_at = datetime.fromisoformat(wish["received_at"]) if wish.get("received_at") else None
    message_id = sandbox.deliver(
        wish["email"],
        raw,
        received_at=received_at,
        labels=wish.get("labels", ("INBOX", "UNREAD")),
        spam=wish.get("spam", False),
        sent=wish.get("sent", False),
    )
    return {"id": message_id}


def _faults(sandbox: Handles, wish: Wish) -> None:
    who = {name: wish[name] for name in ("method", "email", "skip", "times") if name in wish}
    values = {name: value for name, value in wish.items() if name not in (*who, "before", "after")}
    sandbox.world.plan.add(Fault(**values), **who)


def _settings(sandbox: Handles, wish: Wish) -> None:
    for name, value in wish.items():
        if name in _SWITCHES:
            setattr(sandbox.world, name, value)
        elif name in _LIMITS:
            setattr(sandbox.quota, name, value)
        elif name == "testing":
            sandbox.world.grants.testing = value
        else:
            raise KeyError(name)


def _expire_tokens(sandbox: Handles, wish: Wish) -> None:
    sandbox.user(wish["email"]).expire_access_tokens()


def _revoke(sandbox: Handles, wish: Wish) -> None:
    sandbox.user(wish["email"]).revoke()


def _forwarding(sandbox: Handles, wish: Wish) -> None:
    sandbox.user(wish["email"]).set_forwarding(wish["address"], wish.get("status", "accepted"))


def _act(sandbox: Handles, wish: Wish) -> dict[str, Any]:
    if wish["do"] not in _ACTIONS:
        raise KeyError(wish["do"])
    return {"result": getattr(sandbox.user(wish["email"]), wish["do"])(**wish.get("with", {}))}


_WISHES: Mapping[str, Callable[[Handles, Wish], dict[str, Any] | None]] = {
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
