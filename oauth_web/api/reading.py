"""What callers send, as values; a UsageError in one sentence for what does not do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import orjson
from flask import Request
from werkzeug.exceptions import UnsupportedMediaType

from worker import parsing
from worker.errors import UsageError

MAX_KEYS = 1000  # in one call

_Word = TypeVar("_Word", bound=str)


def arguments(request: Request, *known: str) -> Mapping[str, str]:
    """Return the query. A misspelt filter would quietly answer with too much, so unknown ones are refused."""
    for name, values in request.args.lists():
        if name not in known:
            there_are = f"; there are {', '.join(known)}" if known else ""
            raise UsageError(f"There is no parameter {name[:50]!r} here{there_are}.")
        if len(values) > 1:
            raise UsageError(f"The parameter {name!r} is there more than once.")
    return request.args.to_dict()


def body(request: Request, *known: str) -> dict[str, Any]:
    """Return the JSON object of a request. Raises UnsupportedMediaType for what does not say it is JSON."""
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON, with the header Content-Type: application/json.")
    try:
        document = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise UsageError(f"The body is not valid JSON: {error}.") from None
    if not isinstance(document, dict):
        raise UsageError('The body must be a JSON object, such as {"keys": ["..."]}.')
    for name in document:
        if name not in known:
            raise UsageError(f"There is no field {name[:50]!r} here; there are {', '.join(known)}.")
    return document


def keys_of(document: Mapping[str, Any]) -> list[str]:
    """Return the keys that a body names, as they were written."""
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise UsageError('"keys" must be a list of texts: addresses of buyers and order IDs.')
    if len(keys) > MAX_KEYS:
        raise UsageError(f"At most {MAX_KEYS:,} keys fit into one call, and here are {len(keys):,}.")
    return keys


def text_of(document: Mapping[str, Any], name: str) -> str:
    """Return a text of a body, empty if it is not there."""
    value = document.get(name, "")
    if not isinstance(value, str):
        raise UsageError(f'"{name}" must be a text.')
    return value


def word(name: str, value: object, known: tuple[_Word, ...]) -> _Word:
    """Return a value that must be one of a few words."""
    for each in known:
        if value == each:
            return each
    raise UsageError(f"{name} must be one of {', '.join(known)}.")


def number(name: str, text: str, *, most: int) -> int:
    """Return a whole number from 1 to most."""
    if (found := parsing.whole_number(text, 1, most)) is None:
        raise UsageError(f"{name} must be a whole number from 1 to {most:,}.")
    return found


def moment(name: str, text: str) -> datetime:
    """Return a time or the beginning of a day; without a zone it is UTC."""
    if (found := parsing.moment(text)) is None:
        raise UsageError(
            f"{name} must be a time such as 2026-11-23T10:00:00Z (write + as %2B in an address), or a day."
        )
    return found
