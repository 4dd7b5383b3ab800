"""Inject a fault into a call."""

from collections.abc import Callable
from dataclasses import replace

from oauth_web.demo.sandbox.faults import Fault
from oauth_web.demo.sandbox.refusals import Refusal, stamp
from oauth_web.demo.sandbox.wire import Reply, Transmit, json_reply, redirect
from oauth_web.demo.sandbox.world import World


def inject(world: World, fault: Fault, effect: Callable[[], Reply]) -> Reply:
    """Run ``effect`` with a fault, and return the reply for the client."""
    if fault.slow:
        world.clock.pause(fault.slow)
    if fault.cut == "before":
        return Reply(502, transmit=Transmit.CUT)
    if fault.status is None:
        reply = effect()
    else:
        if fault.effect:
            effect()
        reply = _refusal(world, fault, fault.status)
    if fault.after is not None:
        fault.after()
    return _damaged(reply, fault)


def _refusal(world: World, fault: Fault, status: int) -> Reply:
    if fault.oauth is not None:
        return json_reply(dict(fault.oauth), status)
    message = fault.message
    if fault.retry_after is not None:
        message += f"  Retry after {stamp(world.now() + fault.retry_after)}"
    return Refusal(status, message, fault.reason, retry_after=fault.retry_after).reply()


def _damaged(reply: Reply, fault: Fault) -> Reply:
    reply = replace(reply, headers=reply.headers + fault.headers)
    if fault.cut == "after":
        return replace(reply, transmit=Transmit.CUT)
    if fault.cut == "body":
        return replace(reply, transmit=Transmit.CUT_BODY)
    if fault.location:
        return redirect(fault.location)
    if fault.body is not None:
        return replace(reply, body=fault.body)
    bodies = {
        "half": reply.body[: len(reply.body) // 2],
        "not_json": b"<html><body>Something went wrong.</body></html>",
    }
    return replace(reply, body=bodies.get(fault.garble, reply.body))
