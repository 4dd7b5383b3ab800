"""The OpenAPI 3.1 document of the API. The schemas of requests and responses are in ``schemas.py``."""

from typing import Any, get_args

from oauth_web.api.schemas import FORMAT, SCHEMAS, TIME, ref
from worker.block_list.formats.exports import FORMATS
from worker.block_list.model import Reason

_MOMENT = (
    r"[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
)
_BLOCK_KEY = r"[0-9a-z]{8,32}@[a-z.]{1,60}|[0-9D][0-9]{2}-[0-9]{7}-[0-9]{7}"
CURSOR = rf"^({_MOMENT})_({_BLOCK_KEY})$"

_Part = dict[str, Any]

_ABOUT = (
    "Which Amazon buyers opted out of unsolicited messages. Ask before you write: check up to 1,000 addresses or order "
    "IDs in one call. Every call takes a token (`buyerblock token create NAME`) as `Authorization: Bearer ...`, or the "
    "session of a signed-in owner; changes made with a session also need the page's token against forged requests in "
    "the header X-CSRFToken. A token may make 600 requests a minute. Errors are problem documents (RFC 9457)."
)


def _query(name: str, about: str, schema: _Part) -> _Part:
    return {"name": name, "in": "query", "description": about, "schema": schema}


_KEY = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "A buyer's address or an order ID, in any spelling.",
    "schema": {"type": "string", "minLength": 1},
    "example": "406-1234508-7654301",
}
FILTERS = [
    _query("account", "Only blocks from notices to this mailbox.", {"type": "string"}),
    _query("marketplace", "Only buyers of this marketplace, such as amazon.it.", {"type": "string"}),
    _query("reason", "Only blocks for this reason.", {"enum": list(get_args(Reason))}),
    _query("since", "Only blocks last seen at this time or day, or later.", TIME),
    _query(
        "q",
        "Part of an address, an order ID or a note, in any case.",
        {"type": "string", "maxLength": 200},
    ),
]
_KNOWN = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an earlier answer; 304 says that nothing has changed since.",
    "schema": {"type": "string"},
}
_ETAG = {"ETag": {"description": "Changes with the list.", "schema": {"type": "string"}}}

_WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}


def _problem(about: str) -> _Part:
    return {"description": about, "content": {"application/problem+json": {"schema": ref("Problem")}}}


def _answers(*statuses: int, **answer: _Part) -> _Part:
    """Return the responses of a call: its own (s200=...), these statuses, and those of every call."""
    return {name[1:]: value for name, value in answer.items()} | {
        str(status): {"$ref": f"#/components/responses/{status}"}
        for status in (*statuses, 400, 401, 429, 503)
    }


def _json(about: str, schema: _Part, headers: _Part | None = None) -> _Part:
    return {
        "description": about,
        "content": {"application/json": {"schema": schema}},
        **({"headers": headers} if headers else {}),
    }


def _takes(schema: str) -> _Part:
    return {"required": True, "content": {"application/json": {"schema": ref(schema)}}}


_UNCHANGED = {"description": "Nothing has changed.", "headers": _ETAG}

LIST = {
    "operationId": "listBlocks",
    "tags": ["blocks"],
    "summary": "Return the blocks in force, oldest first, a page at a time.",
    "parameters": [
        *FILTERS,
        _query(
            "limit", "Blocks on a page.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
        ),
        _query("cursor", "next_cursor of the page before.", {"type": "string", "pattern": CURSOR}),
        _KNOWN,
    ],
    "responses": _answers(s200=_json("A page.", ref("Page"), _ETAG), s304=_UNCHANGED),
}
BLOCK = {
    "operationId": "blockBuyers",
    "tags": ["blocks"],
    "summary": "Block buyers. Needs the scope write.",
    "description": "A key that is blocked already is no error, and one that is no key does not keep the others out.",
    "requestBody": _takes("BlockRequest"),
    "responses": _answers(403, 413, 415, s200=_json("A result for each key.", ref("BlockResults"))),
}
CHECK = {
    "operationId": "checkBuyers",
    "tags": ["blocks"],
    "summary": "Say whether buyers are blocked, and what may still be sent to them.",
    "description": "Results are in the order asked. A text that is no key gets a result of its own, with `blocked` "
    "null and a `problem`. With `kind`, `allowed` answers whether that kind of message may be sent.",
    "requestBody": _takes("CheckRequest"),
    "responses": _answers(413, 415, s200=_json("A result for each key.", ref("CheckResults"))),
}
ONE = {
    "operationId": "getBlock",
    "tags": ["blocks"],
    "summary": "Return the block that a key means.",
    "parameters": [_KEY],
    "responses": _answers(404, s200=_json("The block.", ref("Block"))),
}
UNBLOCK = {
    "operationId": "unblockBuyer",
    "tags": ["blocks"],
    "summary": "Unblock a buyer. Needs the scope write.",
    "description": "It is remembered: only a notice received from now on, or a person, blocks the buyer again.",
    "parameters": [_KEY],
    "responses": _answers(403, 404, s204={"description": "Unblocked."}),
}
EXPORT = {
    "operationId": "exportBlocks",
    "tags": ["blocks"],
    "summary": "Return the list, or what is filtered of it, as a file in a format that other tools read.",
    "parameters": [
        _query("format", "Name of the format.", FORMAT),
        *FILTERS,
        _KNOWN,
    ],
    "responses": _answers(
        s200={
            "description": "The file; compressed if Accept-Encoding names gzip.",
            "headers": _ETAG,
            "content": {
                kind: {"schema": ref("Export")} if kind == "application/json" else {}
                for kind in sorted({row.content_type for row in FORMATS.values()})
            },
        },
        s304=_UNCHANGED,
    ),
}
DESCRIPTION = {
    "operationId": "describe",
    "tags": ["blocks"],
    "summary": "Return this description.",
    "responses": _answers(s200=_json("An OpenAPI document.", {"type": "object"})),
}

DOCUMENT: _Part = {
    "openapi": "3.1.0",
    "info": {"title": "buyerblock", "version": "1", "description": _ABOUT},
    "servers": [{"url": "/"}],  # replaced by blocks.described
    "security": [{"token": []}],
    "tags": [{"name": "blocks", "description": "The block list."}],
    "paths": {
        "/api/v1/blocks": {"get": LIST, "post": BLOCK},
        "/api/v1/blocks/check": {"post": CHECK},
        "/api/v1/blocks/{key}": {"get": ONE, "delete": UNBLOCK},
        "/api/v1/export": {"get": EXPORT},
        "/api/v1/openapi.json": {"get": DESCRIPTION},
    },
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "responses": {
            "400": _problem("The request cannot be understood; the detail says what is wrong."),
            "401": _problem("No token that is in force, and nobody signed in."),
            "403": _problem("The token may only read."),
            "404": _problem("There is no such block."),
            "413": _problem("The request is too large."),
            "415": _problem("The body is not sent as JSON."),
            "429": _problem("Too many requests.") | {"headers": _WAIT},
            "503": _problem("The list cannot be read or written at the moment."),
        },
    },
}
