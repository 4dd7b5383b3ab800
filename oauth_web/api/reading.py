"""Parse requests by the schemas of the API's description. Raises UsageError for invalid requests."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from oauth_web.api.schemas import FORMAT, SCHEMAS, TIME
from worker import parsing
from worker.errors import UsageError


def arguments(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the query parameters of a call by name, times and numbers parsed; missing ones have their default or None.

    Unknown parameters are rejected: a misspelt filter would silently give too many results.
    """
    known = {it["name"]: it["schema"] for it in call.get("parameters", ()) if it["in"] == "query"}
    for name, values in request.args.lists():
        if name not in known:
            there_are = f"; there are {', '.join(known)}" if known else ""
            raise UsageError(
                "There is no parameter {name!r} here{there_are}.", name=name[:50], there_are=there_are
            )
        if len(values) > 1:
            raise UsageError("The parameter {name!r} is there more than once.", name=name)
    given = request.args
    return {
        name: _from_text(name, given[name], schema) if name in given else schema.get("default")
        for name, schema in known.items()
    }


def body(schema_name: str) -> dict[str, Any]:
    """Return the fields of a JSON body; a missing optional field is None.

    Raises UnsupportedMediaType without the content type of JSON.
    """
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON, with the header Content-Type: application/json.")
    try:
        document = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise UsageError("The body is not valid JSON: {error}.", error=error) from None
    if not isinstance(document, dict):
        raise UsageError('The body must be a JSON object, such as {"keys": ["..."]}.')
    schema = SCHEMAS[schema_name]
    known: Mapping[str, Mapping[str, Any]] = schema["properties"]
    for name in document:
        if name not in known:
            raise UsageError(
                "There is no field {name!r} here; there are {known}.", name=name[:50], known=", ".join(known)
            )
    for name in known:
        if name in document or name in schema["required"]:
            _check(f'"{name}"', document.get(name), known[name])
    return {name: document.get(name) for name in known}


def _from_text(name: str, text: str, schema: Mapping[str, Any]) -> str | int | datetime:
    found: int | datetime | None
    if schema is TIME:
        found = parsing.moment(text)
        needed = "a time such as 2026-11-23T10:00:00Z (write + as %2B in an address), or a day"
    elif schema.get("type") == "integer":
        found = parsing.whole_number(text, schema["minimum"], schema["maximum"])
        needed = f"a whole number from {schema['minimum']} to {schema['maximum']:,}"
    else:
        if schema is not FORMAT:  # export_format reports an unknown format with its own sentence
            _check(name, text, schema)
        if len(text) > schema.get("maxLength", len(text)):
            raise UsageError(
                "{name} is longer than {most} characters.", name=name, most=str(schema["maxLength"])
            )
        return text
    if found is None:
        raise UsageError("{name} must be {needed}.", name=name, needed=needed)
    return found


def _check(name: str, value: object, schema: Mapping[str, Any]) -> None:
    """Raise UsageError if a value does not match its schema: an enum, a list of texts, or a text."""
    if "enum" in schema:
        if value not in schema["enum"]:
            raise UsageError("{name} must be one of {choices}.", name=name, choices=", ".join(schema["enum"]))
    elif schema["type"] == "array":
        if not isinstance(value, list) or not {str}.issuperset(map(type, value)):
            raise UsageError("{name} must be a list of texts: addresses of buyers and order IDs.", name=name)
        if len(value) > (most := schema["maxItems"]):
            raise UsageError(
                "At most {most} keys fit into one call, and here are {given}.", most=most, given=len(value)
            )
    elif not isinstance(value, str):
        raise UsageError("{name} must be a text.", name=name)
