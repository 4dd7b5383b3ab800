"""Documents whose content is not what the program wrote."""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from worker.errors import DamagedFileError, UsageError
from worker.sentences import Sentence

MISSHAPEN = (ValueError, LookupError, TypeError, AttributeError, OverflowError, UsageError)
MAX_TEXT = 100_000  # characters; nothing that the program stores is longer

_T = TypeVar("_T")


@contextmanager
def reading(what: Sentence) -> Iterator[None]:
    """Raise DamagedFileError where a stored document turns out to have another shape. what: as in "the webhook"."""
    try:
        yield
    except MISSHAPEN as error:
        raise DamagedFileError(
            "What is stored about {what} is damaged. Bring back the last daily copy: buyerblock restore --latest",
            what=what,
        ) from error


def checked(value: _T) -> _T:
    """Return a dataclass whose fields hold what their annotations say. Raises TypeError for another one."""
    for name, kind in _kinds(cast(Hashable, type(value))):
        if not fits(getattr(value, name), kind):
            raise TypeError(name)
    return value


def listed(value: Any) -> tuple[Any, ...]:
    """Return a stored list as a tuple. Raises TypeError for what is none: of a text the letters would be taken."""
    if type(value) is not list:
        raise TypeError(type(value))
    return tuple(value)


def fits(value: Any, kind: Any) -> bool:
    """Return whether a value is of a kind, as an annotation writes it."""
    if kind is Any:
        return True
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        return any(fits(value, it) for it in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(it, inner[0]) for it in value)
    if issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(fits(it, inner[1]) for it in value.values())
    return _is_a(value, origin)


def _is_a(value: Any, kind: type) -> bool:
    if kind is str:
        return isinstance(value, str) and len(value) <= MAX_TEXT
    if kind in (int, bool, NoneType):  # True is an int to Python, and no number to us
        return type(value) is kind
    if kind is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    return isinstance(value, kind)


@cache
def _kinds(of: Hashable) -> tuple[tuple[str, Any], ...]:
    return tuple(get_type_hints(of).items())
