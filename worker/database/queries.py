"""Translate TinyDB's queries to SQL, if SQL gives the same answer.

A TinyDB query has a description of itself, TinyDB's cache key: ``("==", ("reason",), "manual")``. For queries that
cannot be translated, TinyDB checks every document.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tinydb.queries import QueryInstance, QueryLike

from worker.database.engine import Engine, Kind

_COMPARISONS = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_MAX_LIST = 10_000  # SQLite allows 32,766 parameters
_MAX_NUMBER = 2**53  # larger numbers may be rounded


class Condition(NamedTuple):
    """SQL that is true for matching documents, else false or NULL, and its parameters."""

    sql: str
    parameters: tuple[object, ...]


def containing(field: str, text: str) -> QueryInstance:
    """Return a query for documents whose field contains a text. The field must be a text or missing."""
    return QueryInstance(
        lambda document: field in document and text in document[field], ("containing", (field,), text)
    )


def to_sql(query: QueryLike, engine: Engine, table: str) -> Condition | None:
    """Return a query as SQL, None if it cannot be translated."""
    description = getattr(query, "_hash", None)
    return _Translator(engine, table).condition(description) if isinstance(description, tuple) else None


class _Translator:
    def __init__(self, engine: Engine, table: str) -> None:
        self._engine = engine
        self._table = table

    def condition(self, description: tuple[Any, ...]) -> Condition | None:
        match description:
            case ("and" | "or" as operator, parts):
                return _joined(operator, [self.condition(part) for part in parts])
            case ():
                return Condition("TRUE", ())
            case ("not", part):
                condition = self.condition(part)
                return condition and Condition(f"NOT coalesce({condition.sql}, FALSE)", condition.parameters)
            case (_, path, *_) if _is_plain(path):
                return self._field_condition(description)
        return None

    def _field_condition(self, description: tuple[Any, ...]) -> Condition | None:
        match description:
            case ("exists", path):
                return Condition(f"({self._engine.kind(path)} IS NOT NULL)", ())
            case ("containing", path, str(text)):
                contains, parameter = self._engine.containing(self._field(path, "text"), text)
                return Condition(f"({contains})", (parameter,))
            case ("one_of", path, values):
                return self._one_of(path, values)
            case ("==" | "<" | "<=" | ">" | ">=" as operator, path, value):
                return self._comparison(operator, path, value)
            case ("!=", path, value):
                equal = self._comparison("==", path, value)
                sql = (
                    equal and f"({self._engine.kind(path)} IS NOT NULL AND NOT coalesce({equal.sql}, FALSE))"
                )
                return equal and Condition(str(sql), equal.parameters)
        return None

    def _comparison(self, operator: str, path: Sequence[str], value: object) -> Condition | None:
        if value is None and operator == "==":
            return Condition(f"({self._engine.kind(path)} = 'null')", ())
        if (kind := _kind(value)) is None:
            return None
        return Condition(f"({self._field(path, kind)} {_COMPARISONS[operator]} ?)", (value,))

    def _one_of(self, path: Sequence[str], values: object) -> Condition | None:
        if not isinstance(values, tuple) or not all(_kind(value) == "text" for value in values):
            return None
        if not values:
            return Condition("FALSE", ())
        if len(values) > _MAX_LIST:
            return None
        condition, parameters = self._engine.is_one_of(self._field(path, "text"), values)
        return Condition(f"({condition})", tuple(parameters))

    def _field(self, path: Sequence[str], kind: Kind) -> str:
        return self._engine.field(self._table, path, kind)


def _joined(operator: str, conditions: list[Condition | None]) -> Condition | None:
    known = [it for it in conditions if it is not None]
    if len(known) < len(conditions):
        return None
    sql = f" {operator.upper()} ".join(it.sql for it in known)
    return Condition(f"({sql})", tuple(value for it in known for value in it.parameters))


def _is_plain(path: object) -> bool:
    return isinstance(path, tuple) and all(
        isinstance(name, str) and name.isascii() and name.isidentifier() for name in path
    )


def _kind(value: object) -> Kind | None:
    if isinstance(value, str):
        return "text" if "\0" not in value and not _has_surrogates(value) else None
    if isinstance(value, bool | int | float) and abs(value) < _MAX_NUMBER:
        return "number"
    return None


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
