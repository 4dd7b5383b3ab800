"""Documents whose content is not what the program wrote."""

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
    for name, _, fits in _fields(cast(Hashable, type(value))):
        if not fits(getattr(value, name)):
            raise TypeError(name)
    return value


def stored(kind: type[_T], document: Mapping[str, Any]) -> _T:
    """Return the dataclass that a document was made of; raise one of MISSHAPEN where it cannot have been.

    What is missing has its default, and fields that the class does not have are passed over: a later version may have
    stored more. Times are texts in a document, tuples are lists, and members of an Enum are their names.
    """
    fields = _fields(cast(Hashable, kind))
    return checked(kind(**{name: read(document[name]) for name, read, _ in fields if name in document}))


def listed(value: Any) -> tuple[Any, ...]:
    """Return a stored list as a tuple. Raises TypeError for what is none: of a text the letters would be taken."""
    if type(value) is not list:
        raise TypeError(type(value))
    return tuple(value)


@cache
def _fields(of: Hashable) -> tuple[tuple[str, Callable[[Any], Any], Callable[[Any], bool]], ...]:
    """Return the fields of a dataclass, each with what reads it from a document and what says whether it fits.

    Annotations are taken apart once: records are read all the time.
    """
    return tuple((name, _reader(kind), _check(kind)) for name, kind in get_type_hints(of).items())


def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what reads a value of a document as one of a kind; what is not of it stays, and the check finds it."""
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    readers = [found for it in options if (found := _reader_from(it)) is not None]

    def read(value: Any) -> Any:
        for type_, from_it in readers:
            if isinstance(value, type_):
                return from_it(value)
        return value

    return read if readers else lambda value: value


def _reader_from(kind: Any) -> tuple[type, Callable[[Any], Any]] | None:
    """Return the type by which a document holds a kind, and what reads it; None where it is held as it is."""
    of = get_origin(kind) or kind
    if of is tuple:
        each = _reader(get_args(kind)[0])
        return list, lambda value: tuple(map(each, value))
    if of in (date, datetime):
        return str, of.fromisoformat
    if is_dataclass(of):
        return dict, lambda value: stored(cast(type, of), value)
    if isinstance(of, EnumType):
        return str, of.__getitem__
    return None


def _check(kind: Any) -> Callable[[Any], bool]:
    """Return what says whether a value is of a kind, as an annotation writes it."""
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
    if kind in (int, bool, NoneType):  # True is an int to Python, and no number to us
        return type(value) is kind
    if kind is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None
    return isinstance(value, kind)
