"""The calls that query, export and change the block list."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter

from oauth_web.api.guard import by_caller, read_only
from oauth_web.api.openapi import (
    BLOCK,
    CHECK,
    CURSOR,
    DESCRIPTION,
    DOCUMENT,
    EXPORT,
    LIST,
    ONE,
    UNBLOCK,
)
from oauth_web.api.reading import arguments, body
from oauth_web.exporting import file_answer, unless_unchanged
from oauth_web.services import services
from worker import parsing
from worker.block_list.documents import public_document
from worker.block_list.formats.exports import export_format, public_json
from worker.block_list.keys import Key, parse_key
from worker.block_list.listing import Cursor, Query, query_of
from worker.block_list.model import MessageKind
from worker.errors import UsageError

_PRIVATE_CACHE = "private, no-cache"

blueprint = Blueprint("blocks", __name__, url_prefix="/v1")


class BlockConverter(BaseConverter):
    """Any key in a path, except the paths of other calls."""

    regex = r"(?!check\Z)[^/]+"
    part_isolating = True


@blueprint.get("/blocks")
def listed() -> ResponseReturnValue:
    """Return a page of the list, oldest block first."""
    given = arguments(LIST)
    query = query_of(given)
    cursor = None if given["cursor"] is None else _cursor(given["cursor"])
    return unless_unchanged(lambda: _page(query, cursor, given["limit"]), cache=_PRIVATE_CACHE)


@blueprint.get("/blocks/<block:key>")
def one(key: str) -> ResponseReturnValue:
    """Return the block of a key."""
    arguments(ONE)
    key = _canonical(key)
    block = services().app.block_list.get(key)
    if block is None:
        raise NotFound(f"{key} is not blocked.")
    return _json(public_document(block))


@blueprint.post("/blocks/check")
@read_only
def check() -> ResponseReturnValue:
    """Return for each key whether the buyer is blocked, and whether this kind of message may be sent."""
    arguments(CHECK)
    given = body("CheckRequest")
    return _json({"results": _checked(given["keys"], given["kind"])})


@blueprint.post("/blocks")
def block() -> ResponseReturnValue:
    """Block buyers and return one result for each key. An invalid key does not affect the others."""
    arguments(BLOCK)
    given = body("BlockRequest")
    block_list = services().app.block_list
    return _json({"results": block_list.block(given["keys"], note=given["note"] or "", by=by_caller())})


@blueprint.delete("/blocks/<block:key>")
def unblock(key: str) -> ResponseReturnValue:
    """Unblock a buyer; only a later notice, or a person, blocks the buyer again."""
    arguments(UNBLOCK)
    key = _canonical(key)
    if not services().app.block_list.unblock(key, by=by_caller()):
        raise NotFound(f"{key} is not blocked.")
    done = Response(status=204)
    del done.headers["Content-Type"]  # there is no content
    return done


@blueprint.get("/export")
def export() -> ResponseReturnValue:
    """Stream the filtered list as a file in the format named by ``format``."""
    given = arguments(EXPORT)
    row = export_format(given["format"])
    return unless_unchanged(lambda: file_answer(row, query_of(given)), cache=_PRIVATE_CACHE)


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Return the OpenAPI description."""
    arguments(DESCRIPTION)
    return _json(described())


def described() -> dict[str, Any]:
    """Return the description, with the base URL of this request."""
    base = request.script_root.removesuffix("/api") or "/"
    return DOCUMENT | {"servers": [{"url": base}]}


def _page(query: Query, cursor: Cursor | None, limit: int) -> Response:
    """Return at most limit blocks after the cursor, and the next cursor, if there are more blocks.

    A cursor names the last block of a page, not an offset. So changes of the list between two calls skip and repeat no
    other block.
    """
    found = services().app.block_list.listing.after(query, cursor, limit=limit + 1)
    page, next_cursor = found[:limit], None
    if len(found) > limit:
        last = page[-1]
        next_cursor = f"{last['first_seen']}_{last['address'] or last['orders'][0]}"
    return _json({"blocks": [orjson.Fragment(public_json(it)) for it in page], "next_cursor": next_cursor})


def _cursor(text: str) -> Cursor:
    found = re.fullmatch(CURSOR, text)
    if found is None or parsing.moment(found[1]) is None:  # such as the 30th of February
        raise UsageError("This cursor was not made here; take it from next_cursor, or leave it out to start.")
    return found[1], found[2]


def _checked(keys: Sequence[str], kind: MessageKind | None) -> list[dict[str, Any]]:
    parsed: list[tuple[str, Key]] = []
    problems: dict[str, str] = {}
    for key in keys:
        try:
            parsed.append((key, parse_key(key)))
        except UsageError as error:
            problems[key] = str(error)
    found = iter(services().app.block_list.look_up(parsed))
    results = [_invalid_key(key, problems[key]) if key in problems else next(found)._asdict() for key in keys]
    if kind is not None:
        for it in results:
            it["allowed"] = None if it["blocked"] is None else kind in it["still_allowed"]
    return results


def _invalid_key(key: str, problem: str) -> dict[str, Any]:
    # blocked is neither true nor false, and still_allowed is empty, so that nobody sends a message by mistake.
    return {"key": key, "blocked": None, "reason": None, "still_allowed": [], "problem": problem}


def _canonical(key: str) -> str:
    """Return a key in canonical spelling. Raises NotFound for an invalid key."""
    try:
        return parse_key(key).text
    except UsageError as error:
        raise NotFound(str(error)) from error


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), content_type="application/json")
