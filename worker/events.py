"""Fields of log lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_context: ContextVar[dict[str, object]] = ContextVar("about", default={})  # noqa: B039 - never changed, only replaced


def fields(**values: object) -> dict[str, dict[str, object]]:
    """Return ``extra`` for a log call. Nested, so that no field collides with logging's own names."""
    return {"fields": values}


@contextmanager
def about(**values: object) -> Iterator[None]:
    """Add these fields to every log line inside."""
    token = _context.set({**_context.get(), **values})
    try:
        yield
    finally:
        _context.reset(token)


def context_fields() -> dict[str, object]:
    """Return the fields of ``about``."""
    return _context.get()
