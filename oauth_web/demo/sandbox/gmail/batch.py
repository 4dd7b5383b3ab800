"""Batches: many independent calls in one ``multipart/mixed`` request.

Google runs the parts in parallel; so all of them count as in flight during the batch.
"""

from email import message_from_bytes
from email.message import Message
from http import HTTPStatus

from oauth_web.demo.sandbox.gmail.api import Incoming, perform, recognise
from oauth_web.demo.sandbox.refusals import Refusal, invalid
from oauth_web.demo.sandbox.wire import Reply, Request, Transmit
from oauth_web.demo.sandbox.world import World

MAX_CALLS = 100
_BOUNDARY = "batch_sandbox_reply"


def answer_batch(world: World, request: Request) -> Reply:
    """Answer a batch: 200 with an answer for each part. If one part is cut, all are."""
    content_type = request.headers.get("content-type", "")
    outer = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + request.body)
    parts = outer.get_payload()
    if outer.get_content_type() != "multipart/mixed" or not isinstance(parts, list):
        return invalid("Failed to parse batch request, error: the body is not multipart/mixed.").reply()
    if len(parts) > MAX_CALLS:
        return invalid(f"The batch request has more than {MAX_CALLS} calls.").reply()
    inner = [part for part in parts if isinstance(part, Message)]
    replies = _replies(world, [_inner_request(part, request) for part in inner])
    if any(reply.transmit is Transmit.CUT for reply in replies):
        return Reply(502, transmit=Transmit.CUT)
    halved = any(reply.transmit is Transmit.CUT_BODY for reply in replies)
    body = b"".join(_part(part["Content-ID"], reply) for part, reply in zip(inner, replies, strict=True))
    return Reply(
        200,
        body + f"--{_BOUNDARY}--\r\n".encode(),
        f"multipart/mixed; boundary={_BOUNDARY}",
        transmit=Transmit.CUT_BODY if halved else Transmit.WHOLE,
    )


def _replies(world: World, requests: list[Request]) -> list[Reply]:
    entered: list[Incoming] = []
    admitted: list[Incoming | Reply] = []
    try:
        for request in requests:
            try:
                incoming = recognise(world, request)
                world.quota.enter(incoming.email)
            except Refusal as refusal:
                admitted.append(refusal.reply())
            else:
                entered.append(incoming)
                admitted.append(incoming)
        world.wait()
        return [one if isinstance(one, Reply) else perform(world, one) for one in admitted]
    finally:
        for incoming in entered:
            world.quota.leave(incoming.email)


def _inner_request(part: Message, outer: Request) -> Request:
    """Parse the request in a part; without a token it has that of the batch."""
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    first, _, rest = raw.replace(b"\r\n", b"\n").partition(b"\n")
    verb, _, target = first.decode("latin-1").partition(" ")
    message = message_from_bytes(rest)
    body = message.get_payload(decode=True)
    headers = {"authorization": outer.headers.get("authorization", "")}
    headers |= {name.lower(): str(value) for name, value in message.items()}
    return Request.of(verb, target.rpartition(" ")[0], headers, body if isinstance(body, bytes) else b"")


def _part(content_id: str | None, reply: Reply) -> bytes:
    status = HTTPStatus(reply.status)
    head = [
        f"--{_BOUNDARY}",
        "Content-Type: application/http",
        f"Content-ID: <response-{(content_id or '').strip('<>')}>",
        "",
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {reply.content_type}",
        *(f"{name}: {value}" for name, value in reply.headers),
        f"Content-Length: {len(reply.body)}",
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + reply.body + b"\r\n"
