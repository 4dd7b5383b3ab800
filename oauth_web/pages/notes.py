"""A note on the next page: what was done, with an undo button."""

from typing import Any

from flask import redirect, session, url_for
from flask.typing import ResponseReturnValue

_NOTE = "note"
Undo = tuple[str, dict[str, str]]
"""The endpoint of a POST route that undoes the action, and the fields of its form."""


def set_note(message: str, undo: Undo | None = None) -> None:
    """Show this sentence once, on the next page."""
    session[_NOTE] = {"message": message, "undo": undo}


def redirect_to(endpoint: str, note: str, undo: Undo | None = None, **values: Any) -> ResponseReturnValue:
    """Redirect to a page that shows this sentence. values: for ``url_for``."""
    set_note(note, undo)
    return redirect(url_for(endpoint, **values), 303)


def pop_note() -> dict[str, Any] | None:
    return session.pop(_NOTE, None) if _NOTE in session else None
