"""Check the shape of stored documents, and convert them to dataclasses."""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import is_dataclass
from datetime import date, datetime
from enum import EnumType
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from worker.errors import DamagedFileError, UsageError
from worker.sentences import Sentence

SHAPE_ERRORS = (ValueError, LookupError, TypeError, AttributeError, OverflowError, UsageError)
MAX_TEXT = 100_000  # characters; the program stores no longer text

_T = TypeVar("_T")


@contextmanager
def reading(what: Sentence) -> Iterator[None]:
    """Raise DamagedFileError if a stored document has a wrong shape. what: such as "the webhook"."""
    try:
        yield
    except SHAPE_ERRORS as error:
        raise DamagedFileError(
            "What is stored about {what} is damaged. Bring back the last daily copy: buyerblock restore --latest",
            what=what,
        ) from error


def checked(value: _T) -> _T:
    """Return a dataclass after checking its fields against their annotations. Raises TypeError."""
    for name, kind in _kinds(cast(Hashable, type(value))):
        if not fits(getattr(value, name), kind):
            raise TypeError(name)
    return value


def stored(kind: type[_T], document: Mapping[str, Any]) -> _T:
    """Return the dataclass of a stored document. Raises one of SHAPE_ERRORS.

    Missing fields get their defaults, and unknown fields are ignored: a later version may have stored more. In a
    document times are texts, tuples are lists, and members of an Enum are their names.
    """
    kinds = _kinds(cast(Hashable, kind))
    return checked(kind(**{name: _convert(document[name], of) for name, of in kinds if name in document}))


def _convert(value: Any, kind: Any) -> Any:
    """Convert a value of a document to an annotated type. A wrong value is returned as is; ``checked`` rejects it."""
    if kind is str or not isinstance(value, str | list | dict):
        return value  # a fast path for most values
    for it in get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,):
        of = get_origin(it) or it
        if of is tuple and isinstance(value, list):
            return tuple(_convert(each, get_args(it)[0]) for each in value)
        if of in (date, datetime) and isinstance(value, str):
            return of.fromisoformat(value)
        if is_dataclass(of) and isinstance(value, dict):
            return stored(cast(type, of), value)
        if isinstance(of, EnumType) and isinstance(value, str):
            return of[value]
    return value


def listed(value: Any) -> tuple[Any, ...]:
    """Return a stored list as a tuple. Raises TypeError for any other type: a text would become its letters."""
    if type(value) is not list:
        raise TypeError(type(value))
    return tuple(value)


def fits(value: Any, kind: Any) -> bool:
    """Return whether a value matches an annotation."""
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
    if kind in (int, bool, NoneType):  # isinstance(True, int) is true
        return type(value) is kind
    if kind is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    return isinstance(value, kind)


@cache
def _kinds(of: Hashable) -> tuple[tuple[str, Any], ...]:
    return tuple(get_type_hints(of).items())
