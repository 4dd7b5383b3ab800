"""A note for the next page: what was done, and a button that undoes it."""

from dataclasses import dataclass
from typing import Any

from flask import session

_NOTE = "note"


@dataclass(frozen=True, slots=True)
class Undo:
    """A form that takes back what was done. endpoint: of a route for POST."""

    endpoint: str
    fields: dict[str, str]


def leave_note(message: str, undo: Undo | None = None) -> None:
    """Show this sentence once, on the page that comes next."""
    session[_NOTE] = {"message": message, "undo": [undo.endpoint, undo.fields] if undo else None}


def take_note() -> dict[str, Any] | None:
    """Return the note, once."""
    return session.pop(_NOTE, None) if _NOTE in session else None
