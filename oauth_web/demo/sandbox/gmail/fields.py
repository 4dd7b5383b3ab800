"""The ``fields`` parameter: partial replies such as ``messages(id,threadId),nextPageToken``."""

import re
from collections.abc import Iterator
from typing import Any

from oauth_web.demo.sandbox.refusals import invalid

# What to keep of an object: by name, again what to keep; an empty mask keeps all.
Mask = dict[str, "Mask"]

_PIECES = re.compile(r"[^,/()\s]+|[,/()]")


def parse(text: str) -> Mask:
    """Return the mask that the parameter spells, or raise Refusal."""
    pieces = iter([*_PIECES.findall(text), ")"])
    mask = _list(pieces, text)
    if next(pieces, None) is not None or not mask:
        raise invalid(f"Invalid field selection {text}")
    return mask


def cut(value: Any, mask: Mask) -> Any:
    """Return only what the mask keeps."""
    if not mask:
        return value
    if isinstance(value, list):
        return [cut(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    if "*" in mask:
        return {name: cut(item, mask["*"]) for name, item in value.items()}
    return {name: cut(value[name], below) for name, below in mask.items() if name in value}


def _list(pieces: Iterator[str], text: str) -> Mask:
    """Read up to the closing bracket: names with commas between, each with a path or a group below."""
    mask: Mask = {}
    here, open_name = mask, False
    for piece in pieces:
        if piece == ")" and open_name:
            return mask
        if piece == "," and open_name:
            here, open_name = mask, False
        elif piece == "/" and open_name:
            open_name = False
        elif piece == "(" and open_name:
            here.update(_list(pieces, text))
        elif piece in ",/()" or open_name:
            break
        else:
            here = here.setdefault(piece, {})
            open_name = True
    raise invalid(f"Invalid field selection {text}")
