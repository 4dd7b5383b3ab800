"""A note for the next page: what was done, and how to undo it."""

from flask import session

_NOTE = "note"


def leave_note(message: str) -> None:
    """Show this sentence once, on the page that comes next."""
    session[_NOTE] = message


def take_note() -> str | None:
    """Return the note, once."""
    return session.pop(_NOTE, None) if _NOTE in session else None
