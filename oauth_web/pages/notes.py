"""A note for the next page: what was done, and a button that undoes it."""

from typing import Any

from flask import session

_NOTE = "note"


def leave_note(message: str, undo: tuple[str, dict[str, str]] | None = None) -> None:
    """Show this sentence once, on the page that comes next.

    undo: the endpoint of a route for POST that takes back what was done, and the fields of its form.
    """
    session[_NOTE] = {"message": message, "undo": undo}


def take_note() -> dict[str, Any] | None:
    """Return the note, once."""
    return session.pop(_NOTE, None) if _NOTE in session else None
