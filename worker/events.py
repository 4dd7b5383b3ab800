"""What an event in the log carries besides its sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_about: ContextVar[dict[str, object]] = ContextVar("about", default={})  # noqa: B039 - never changed, only replaced


def fields(**values: object) -> dict[str, dict[str, object]]:
    """Return what a log call takes as ``extra``, so that no field can collide with logging's own names."""
    return {"fields": values}


@contextmanager
def about(**values: object) -> Iterator[None]:
    """Have every event inside carry these fields."""
    token = _about.set({**_about.get(), **values})
    try:
        yield
    finally:
        _about.reset(token)


def present() -> dict[str, object]:
    """Return the fields that every event carries here."""
    return _about.get()
