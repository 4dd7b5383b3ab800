"""Check the shape of stored documents, and convert them to dataclasses."""

from collections.abc import Callable, Hashable, Iterator, Mapping
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
    for name, _, fits in _fields(cast(Hashable, type(value))):
        if not fits(getattr(value, name)):
            raise TypeError(name)
    return value


def stored(kind: type[_T], document: Mapping[str, Any]) -> _T:
    """Return the dataclass of a stored document. Raises one of SHAPE_ERRORS.

    Missing fields get their defaults, and unknown fields are ignored: a later version may have stored more. In a
    document times are texts, tuples are lists, and members of an Enum are their names.
    """
    fields = _fields(cast(Hashable, kind))
    return checked(kind(**{name: read(document[name]) for name, read, _ in fields if name in document}))


def listed(value: Any) -> tuple[Any, ...]:
    """Return a stored list as a tuple. Raises TypeError for any other type: a text would become its letters."""
    if type(value) is not list:
        raise TypeError(type(value))
    return tuple(value)


@cache
def _fields(of: Hashable) -> tuple[tuple[str, Callable[[Any], Any], Callable[[Any], bool]], ...]:
    """Return the fields of a dataclass: name, converter, check. Cached, since records are read often."""
    return tuple((name, _converter(kind), _check(kind)) for name, kind in get_type_hints(of).items())


def _converter(kind: Any) -> Callable[[Any], Any]:
    """Return the converter of an annotated type. It returns a wrong value as is; the check rejects it."""
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    converters = [found for it in options if (found := _stored_as(it)) is not None]

    def read(value: Any) -> Any:
        for type_, from_it in converters:
            if isinstance(value, type_):
                return from_it(value)
        return value

    return read


def _stored_as(kind: Any) -> tuple[type, Callable[[Any], Any]] | None:
    """Return the type of the stored value, and its converter; None if the value is stored as it is."""
    of = get_origin(kind) or kind
    if of is tuple:
        each = _converter(get_args(kind)[0])
        return list, lambda value: tuple(map(each, value))
    if of in (date, datetime):
        return str, of.fromisoformat
    if is_dataclass(of):
        return dict, lambda value: stored(cast(type, of), value)
    if isinstance(of, EnumType):
        return str, of.__getitem__
    return None


def _check(kind: Any) -> Callable[[Any], bool]:
    """Return a function that says whether a value matches an annotation."""
    if kind is Any:
        return lambda _: True
    origin, inner = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        options = [_check(it) for it in inner]
        return lambda value: any(it(value) for it in options)
    if origin is Literal:
        return lambda value: value in inner
    if origin is tuple:
        each = _check(inner[0])
        return lambda value: isinstance(value, tuple) and all(map(each, value))
    if issubclass(origin, Mapping):
        of_value = _check(inner[1])
        return lambda value: isinstance(value, Mapping) and all(map(of_value, value.values()))
    return lambda value: _is_a(value, origin)


def _is_a(value: Any, kind: type) -> bool:
    if kind is str:
        return isinstance(value, str) and len(value) <= MAX_TEXT
    if kind in (int, bool, NoneType):  # isinstance(True, int) is true
        return type(value) is kind
    if kind is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    return isinstance(value, kind)
