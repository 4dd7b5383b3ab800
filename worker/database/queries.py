"""TinyDB's queries as SQL, where the answer is the same.

A query of TinyDB carries a description of itself, by which TinyDB caches: ``("==", ("reason",), "manual")``. What
is not understood here is left to TinyDB, which looks at every document.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tinydb.queries import QueryInstance, QueryLike

from worker.database.engine import Engine, Kind

_COMPARISONS = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_LONGEST_LIST = 10_000  # a query has room for 32,766 parameters
_LARGEST = 2**53  # numbers beyond may be rounded


class Condition(NamedTuple):
    """SQL that is true for the documents that match, and its parameters. For others it is false or NULL."""

    sql: str
    parameters: tuple[object, ...]


def containing(field: str, text: str) -> QueryInstance:
    """Return a query for the documents in which a field, which holds texts or is missing, contains a text."""
    return QueryInstance(
        lambda document: field in document and text in document[field], ("containing", (field,), text)
    )


def translated(query: QueryLike, engine: Engine, table: str) -> Condition | None:
    """Return a query as SQL, None where only TinyDB can answer it."""
    described = getattr(query, "_hash", None)
    return _Translator(engine, table).condition(described) if isinstance(described, tuple) else None


class _Translator:
    """Makes conditions about the documents of one table."""

    def __init__(self, engine: Engine, table: str) -> None:
        self._engine = engine
        self._table = table

    def condition(self, described: tuple[Any, ...]) -> Condition | None:
        """Return the condition that a description of TinyDB's means."""
        match described:
            case ("and" | "or" as word, parts):
                return _joined(word, [self.condition(part) for part in parts])
            case ():
                return Condition("TRUE", ())
            case ("not", part):
                condition = self.condition(part)
                return condition and Condition(f"NOT coalesce({condition.sql}, FALSE)", condition.parameters)
            case (_, path, *_) if _is_plain(path):
                return self._about_a_field(described)
        return None

    def _about_a_field(self, described: tuple[Any, ...]) -> Condition | None:
        match described:
            case ("exists", path):
                return Condition(f"({self._engine.kind(path)} IS NOT NULL)", ())
            case ("containing", path, str(text)):
                contains, parameter = self._engine.containing(self._field(path, "text"), text)
                return Condition(f"({contains})", (parameter,))
            case ("one_of", path, values):
                return self._one_of(path, values)
            case ("==" | "<" | "<=" | ">" | ">=" as sign, path, value):
                return self._compared(sign, path, value)
            case ("!=", path, value):
                same = self._compared("==", path, value)
                sql = same and f"({self._engine.kind(path)} IS NOT NULL AND NOT coalesce({same.sql}, FALSE))"
                return same and Condition(str(sql), same.parameters)
        return None

    def _compared(self, sign: str, path: Sequence[str], value: object) -> Condition | None:
        if value is None and sign == "==":
            return Condition(f"({self._engine.kind(path)} = 'null')", ())
        if (kind := _kind(value)) is None:
            return None
        return Condition(f"({self._field(path, kind)} {_COMPARISONS[sign]} ?)", (value,))

    def _one_of(self, path: Sequence[str], values: object) -> Condition | None:
        if not isinstance(values, tuple) or not all(_kind(value) == "text" for value in values):
            return None
        if not values:
            return Condition("FALSE", ())
        if len(values) > _LONGEST_LIST:
            return None
        among, parameters = self._engine.among(self._field(path, "text"), values)
        return Condition(f"({among})", tuple(parameters))

    def _field(self, path: Sequence[str], kind: Kind) -> str:
        return self._engine.field(self._table, path, kind)


def _joined(word: str, conditions: list[Condition | None]) -> Condition | None:
    known = [it for it in conditions if it is not None]
    if len(known) < len(conditions):
        return None
    sql = f" {word.upper()} ".join(it.sql for it in known)
    return Condition(f"({sql})", tuple(value for it in known for value in it.parameters))


def _is_plain(path: object) -> bool:
    return isinstance(path, tuple) and all(
        isinstance(name, str) and name.isascii() and name.isidentifier() for name in path
    )


def _kind(value: object) -> Kind | None:
    if isinstance(value, str):
        return "text" if "\0" not in value and _is_unicode(value) else None
    if isinstance(value, bool | int | float) and abs(value) < _LARGEST:
        return "number"
    return None


def _is_unicode(text: str) -> bool:
    """Return whether text can be stored: lone surrogates cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
