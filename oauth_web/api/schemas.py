"""The JSON Schemas of requests and responses."""

from typing import Any, get_args

from worker.block_list.block_list import MAX_NOTE
from worker.block_list.formats.exports import FORMATS
from worker.block_list.model import ALL_KINDS, Reason

MAX_KEYS = 1000  # in one call

_Part = dict[str, Any]


def ref(name: str) -> _Part:
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: _Part, **more: Any) -> _Part:
    return {"type": "array", "items": items, **more}


def obj(*optional: str, **properties: _Part) -> _Part:
    """Return the schema of an object with exactly these fields; all are required except the optional ones."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _or_null(schema: _Part) -> _Part:
    return {"anyOf": [schema, {"type": "null"}]}


_TEXT: _Part = {"type": "string"}
_MOMENT: _Part = {"type": "string", "format": "date-time"}
# A time without a zone is in UTC; a space may replace the T, and minutes and seconds are optional.
_LOOSE_MOMENT: _Part = {
    "type": "string",
    "pattern": "^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])[Tt ]([01][0-9]|2[0-3])"
    "(:[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,6})?)?)?([Zz]|[+-](0[0-9]|1[0-3]):?[0-5][0-9])?$",
}
TIME: _Part = {"anyOf": [_MOMENT, {"type": "string", "format": "date"}, _LOOSE_MOMENT]}
FORMAT: _Part = {"enum": list(FORMATS), "default": "json"}
_COUNT: _Part = {"type": "integer", "minimum": 0}
_REASON: _Part = {"enum": list(get_args(Reason))}
_KIND: _Part = {
    "enum": list(ALL_KINDS),
    "description": "reply: an answer in a thread that the buyer began. critical: sent by one of Seller Central's "
    "templates for critical messages. Everything else is unsolicited.",
}
_KEYS = array(_TEXT, maxItems=MAX_KEYS, examples=[["406-1234508-7654301"]])

_BLOCK = obj(
    address=_or_null(_TEXT) | {"description": "null while only the order is known"},
    orders=array(_TEXT),
    marketplace=_or_null(_TEXT) | {"examples": ["amazon.it"]},
    reason=_REASON,
    accounts=array(_TEXT) | {"description": "the mailboxes that got notices about the buyer"},
    first_seen=_MOMENT,
    last_seen=_MOMENT,
    notices=_COUNT,
    note=_TEXT,
)

SCHEMAS: _Part = {
    "Block": _BLOCK,
    "Page": obj(blocks=array(ref("Block")), next_cursor=_or_null(_TEXT)),
    "CheckRequest": obj("kind", keys=_KEYS, kind=_KIND),
    "CheckResult": obj(
        "allowed",
        "problem",
        key=_TEXT | {"description": "as it was asked"},
        blocked={"type": ["boolean", "null"], "description": "null for what is no key"},
        reason=_or_null(_REASON),
        still_allowed=array(_KIND),
        allowed={
            "type": ["boolean", "null"],
            "description": "there if kind was asked; null for what is no key",
        },
        problem=_TEXT | {"description": "there for what is no key: one sentence that says why"},
    ),
    "CheckResults": obj(results=array(ref("CheckResult"))),
    "BlockRequest": obj("note", keys=_KEYS, note={"type": "string", "maxLength": MAX_NOTE}),
    "BlockResult": obj(
        key=_TEXT | {"description": "as it was given"},
        status={"enum": ["blocked", "known", "rejected"]},
        problem=_TEXT | {"description": "empty unless rejected: one sentence that says why"},
    ),
    "BlockResults": obj(results=array(ref("BlockResult"))),
    "Export": {
        "description": "The format json is an object, sendgrid a list, postmark and tinydb objects of their own.",
        "anyOf": [ref("JsonExport"), array(ref("SendGridEntry")), ref("PostmarkExport"), ref("TinyDBExport")],
    },
    "JsonExport": obj(
        format={"const": "buyerblock/1"}, exported_at=_MOMENT, count=_COUNT, blocks=array(ref("Block"))
    ),
    "SendGridEntry": obj(created={"type": "integer"}, email=_TEXT),
    "PostmarkExport": obj(Suppressions=array(ref("PostmarkEntry"))),
    "PostmarkEntry": obj(EmailAddress=_TEXT),
    "TinyDBExport": obj(_default={"type": "object", "additionalProperties": ref("Block")}),
    "Problem": obj(type={"type": "string"}, title=_TEXT, status={"type": "integer"}, detail=_TEXT),
}
