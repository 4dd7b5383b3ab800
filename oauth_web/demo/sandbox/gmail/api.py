"""Check sign-in, scope, quota and faults of an API request, and call its method."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson

from oauth_web.demo.sandbox.fault_injection import inject
from oauth_web.demo.sandbox.gmail import METHODS
from oauth_web.demo.sandbox.gmail.call import Call
from oauth_web.demo.sandbox.gmail.discovery import Method, check_body, check_query, find_method
from oauth_web.demo.sandbox.gmail.fields import cut, parse
from oauth_web.demo.sandbox.grants import Access
from oauth_web.demo.sandbox.refusals import (
    Refusal,
    api_disabled,
    invalid,
    missing_scope,
    not_found,
    unauthenticated,
)
from oauth_web.demo.sandbox.wire import Reply, Request, json_reply
from oauth_web.demo.sandbox.world import World

METADATA_SCOPE = "https://www.googleapis.com/auth/gmail.metadata"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request with its method and user, not yet authorised."""

    request: Request
    method: Method
    path: dict[str, str]
    access: Access

    @property
    def email(self) -> str:
        return self.access.email


def recognise(world: World, request: Request) -> Incoming:
    """Return the method and the user of a request. Raises Refusal."""
    if (found := find_method(request.verb, request.path)) is None:
        raise not_found()
    access = world.grants.access(_token(request))
    if access is None:
        raise unauthenticated()
    return Incoming(request, found[0], {name: unquote(value) for name, value in found[1].items()}, access)


def answer(world: World, request: Request) -> Reply:
    """Answer one request outside a batch."""
    try:
        incoming = recognise(world, request)
        world.quota.enter(incoming.email)
    except Refusal as refusal:
        world.wait()
        return refusal.reply()
    try:
        world.wait()
        return perform(world, incoming)
    finally:
        world.quota.leave(incoming.email)


def perform(world: World, incoming: Incoming) -> Reply:
    """Run a call with its fault, and record it. The caller has called ``Quota.enter``."""
    fault = world.next_fault(incoming.method.name, incoming.email, incoming.path.get("id", ""))
    if fault.before is not None:
        fault.before()
    units = 0
    try:
        check = _admit(world, incoming)
        units = world.quota.spend(incoming.email, incoming.method.name)
    except Refusal as refusal:
        reply = refusal.reply()
    else:
        reply = inject(world, fault, lambda: _effect(world, incoming, check))
    world.quota.record(incoming.email, incoming.method.name, units, reply.status)
    return reply


def _admit(world: World, incoming: Incoming) -> Callable[[Call], dict[str, Any] | None]:
    """Return the method's function after all checks before the quota. Raises Refusal."""
    access, method = incoming.access, incoming.method
    if not access.alive(world.now()):
        raise unauthenticated()
    if not world.api_enabled:
        raise api_disabled()
    if incoming.path["userId"] not in ("me", access.email):
        raise Refusal(403, f"Delegation denied for {access.email}", "forbidden")
    if not access.scopes & method.scopes:
        raise missing_scope()
    if access.scopes & method.scopes == {METADATA_SCOPE} and "q" in incoming.request.query:
        raise Refusal(403, "Metadata scope does not support 'q' parameter", "forbidden")
    if method.name not in METHODS:
        raise Refusal(501, f"The sandbox does not offer {method.name}.", "notImplemented")
    return METHODS[method.name]


def _effect(world: World, incoming: Incoming, function: Callable[[Call], dict[str, Any] | None]) -> Reply:
    mailbox = world.mailboxes[incoming.email]
    request = incoming.request
    try:
        check_query(incoming.method, request.query)
        mask = parse(request.query["fields"][-1]) if "fields" in request.query else {}
        body = _body(incoming.method, request)
        with mailbox.lock:
            result = function(Call(mailbox, incoming.path, request.query, body, world.now()))
    except Refusal as refusal:
        return refusal.reply()
    return Reply(204) if result is None else json_reply(cut(result, mask))


def _body(method: Method, request: Request) -> dict[str, Any]:
    if not method.schema:
        return {}
    try:
        body = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    check_body(method.schema, body)
    checked: dict[str, Any] = body
    return checked


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return request.query.get("access_token", [""])[-1]
