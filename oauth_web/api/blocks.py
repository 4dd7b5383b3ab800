"""Ask the block list, and change it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, get_args

import orjson
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from oauth_web.api.cursors import page_after, parse_cursor
from oauth_web.api.etags import not_modified, tagged
from oauth_web.api.guard import by_caller, question
from oauth_web.api.reading import arguments, body, keys_of, moment, number, text_of, word
from oauth_web.services import services
from worker.block_list.documents import public_document
from worker.block_list.formats.exports import public_part
from worker.block_list.keys import Key, parse_key
from worker.block_list.listing import Query
from worker.block_list.model import ALL_KINDS, MessageKind, Reason, Result
from worker.errors import UsageError

MAX_SEARCH = 200  # characters
MAX_BLOCKS = 1000  # on one page
BLOCKS = 100  # on one page, unless the caller says otherwise

blueprint = Blueprint("blocks", __name__, url_prefix="/v1/blocks")


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """Return a page of the list, oldest block first."""
    given = arguments(request, "since", "reason", "account", "q", "limit", "cursor")
    query = Query(
        since=moment("since", given["since"]) if "since" in given else None,
        reason=word("reason", given["reason"], get_args(Reason)) if "reason" in given else None,
        account=given.get("account", "").strip().lower() or None,
        q=_search(given.get("q", "")),
    )
    limit = number("limit", given["limit"], most=MAX_BLOCKS) if "limit" in given else BLOCKS
    cursor = parse_cursor(given["cursor"]) if given.get("cursor") else None
    block_list = services().app.block_list
    # Read before the content: an answer may be newer than its tag says, never older.
    version = block_list.version
    if (known := not_modified(version)) is not None:
        return known
    found, next_cursor = page_after(block_list.listing, query, cursor, limit=limit)
    blocks = b",".join(map(public_part, found))
    return tagged(_json(b'{"blocks":[%b],"next_cursor":%b}' % (blocks, orjson.dumps(next_cursor))), version)


@blueprint.get("/<key>")
def one(key: str) -> ResponseReturnValue:
    """Return the block that a key means."""
    arguments(request)
    block = services().app.block_list.get(_existing(key))
    if block is None:
        raise NotFound(_no_block(key))
    return _json(orjson.dumps(public_document(block)))


@blueprint.post("/check")
@question
def check() -> ResponseReturnValue:
    """Say for each key whether the buyer is blocked, and whether this kind of message may be sent."""
    arguments(request)
    document = body(request, "keys", "kind")
    kind = word('"kind"', document["kind"], ALL_KINDS) if "kind" in document else None
    return _json(orjson.dumps({"results": _checked(keys_of(document), kind)}))


@blueprint.post("")
def block() -> ResponseReturnValue:
    """Block buyers; one result for each key, and a key that is no key does not keep the others out."""
    arguments(request)
    document = body(request, "keys", "note")
    keys, note = keys_of(document), text_of(document, "note")
    results = services().app.block_list.block(keys, note=note, by=by_caller())
    return _json(orjson.dumps({"results": [asdict(result) for result in results]}))


@blueprint.delete("/<key>")
def unblock(key: str) -> ResponseReturnValue:
    """Unblock a buyer; only a later notice, or a person, blocks them again."""
    arguments(request)
    if not services().app.block_list.unblock(_existing(key), by=by_caller()):
        raise NotFound(_no_block(key))
    done = Response(status=204)
    del done.headers["Content-Type"]  # there is no content
    return done


def _checked(keys: Sequence[str], kind: MessageKind | None) -> list[dict[str, Any]]:
    understood: list[tuple[str, Key]] = []
    problems: dict[str, str] = {}
    for key in keys:
        try:
            understood.append((key, parse_key(key)))
        except UsageError as error:
            problems[key] = str(error)
    found = iter(services().app.block_list.look_up(understood))
    return [
        _not_a_key(key, problems[key], kind) if key in problems else _known(next(found), kind) for key in keys
    ]


def _known(result: Result, kind: MessageKind | None) -> dict[str, Any]:
    shown = result._asdict()
    return shown if kind is None else {**shown, "allowed": kind in result.still_allowed}


def _not_a_key(key: str, problem: str, kind: MessageKind | None) -> dict[str, Any]:
    """Return neither yes nor no: nothing is known of what is no key, and an empty list lets nobody send by mistake."""
    shown: dict[str, Any] = {
        "key": key,
        "blocked": None,
        "reason": None,
        "still_allowed": [],
        "problem": problem,
    }
    return shown if kind is None else {**shown, "allowed": None}


def _existing(key: str) -> str:
    """Return what may be asked of the list; what is no key is on no list, so it is not found."""
    try:
        parse_key(key)
    except UsageError as error:
        raise NotFound(str(error)) from error
    return key


def _no_block(key: str) -> str:
    return f"{parse_key(key).text} is not blocked."


def _search(text: str) -> str:
    if len(text) > MAX_SEARCH:
        raise UsageError(f"q is longer than {MAX_SEARCH} characters.")
    return text


def _json(content: bytes) -> Response:
    return Response(content, content_type="application/json")
