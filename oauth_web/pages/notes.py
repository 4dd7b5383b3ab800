"""A note for the next page: what was done, and a button that undoes it."""

from typing import Any

from flask import redirect, session, url_for
from flask.typing import ResponseReturnValue

_NOTE = "note"
Undo = tuple[str, dict[str, str]]
"""The endpoint of a route for POST that takes back what was done, and the fields of its form."""


def leave_note(message: str, undo: Undo | None = None) -> None:
    """Show this sentence once, on the page that comes next."""
    session[_NOTE] = {"message": message, "undo": undo}


def go_on(endpoint: str, note: str, undo: Undo | None = None, **values: Any) -> ResponseReturnValue:
    """Answer a form by the way to a page, which shows this sentence. values: as ``url_for`` takes them."""
    leave_note(note, undo)
    return redirect(url_for(endpoint, **values), 303)


def take_note() -> dict[str, Any] | None:
    """Return the note, once."""
    return session.pop(_NOTE, None) if _NOTE in session else None
