"""The ``fields`` parameter: partial replies such as ``messages(id,threadId),nextPageToken``."""

import re
from collections.abc import Iterator
from typing import Any

from oauth_web.demo.sandbox.refusals import invalid

# The fields to keep, by name, each with its own mask; an empty mask keeps everything.
Mask = dict[str, "Mask"]

_TOKENS = re.compile(r"[^,/()\s]+|[,/()]")


def parse(text: str) -> Mask:
    """Parse the parameter. Raises Refusal."""
    tokens = iter([*_TOKENS.findall(text), ")"])
    mask = _list(tokens, text)
    if next(tokens, None) is not None or not mask:
        raise invalid(f"Invalid field selection {text}")
    return mask


def cut(value: Any, mask: Mask) -> Any:
    """Return only the fields of the mask."""
    if not mask:
        return value
    if isinstance(value, list):
        return [cut(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    if "*" in mask:
        return {name: cut(item, mask["*"]) for name, item in value.items()}
    return {name: cut(value[name], below) for name, below in mask.items() if name in value}


def _list(tokens: Iterator[str], text: str) -> Mask:
    """Read up to the closing bracket: names separated by commas, each with an optional path or group."""
    mask: Mask = {}
    here, open_name = mask, False
    for part in tokens:
        if part == ")" and open_name:
            return mask
        if part == "," and open_name:
            here, open_name = mask, False
        elif part == "/" and open_name:
            open_name = False
        elif part == "(" and open_name:
            here.update(_list(tokens, text))
        elif part in ",/()" or open_name:
            break
        else:
            here = here.setdefault(part, {})
            open_name = True
    raise invalid(f"Invalid field selection {text}")
