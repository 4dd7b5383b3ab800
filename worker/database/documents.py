"""A TinyDB table over an engine: document ids are texts, and a call reads only what it needs, not the whole table."""

import logging
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import chain
from typing import Any, Literal

import orjson
from tinydb import Storage
from tinydb.queries import QueryLike
from tinydb.table import Document, Table

from worker.database.engine import Engine
from worker.database.queries import Condition, to_sql
from worker.database.shape import SHAPE_ERRORS
from worker.sentences import Sentence

log = logging.getLogger(__name__)

Plan = Literal["order", "filter"]

_MAX_KEYS = 30_000  # of one query; SQLite allows 32,766 parameters

_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")  # in JSON; not after an odd number of backslashes


class Documents(Table):
    """The documents of one table. All methods of TinyDB's ``Table`` work. Raises the errors of ``Engine``."""

    document_id_class = str  # type: ignore[assignment]  # TinyDB documents this for other types of ids
    default_query_cache_capacity = 0  # no cache: another process may change the documents

    def __init__(self, storage: Storage, name: str, engine: Engine) -> None:
        super().__init__(storage, name, cache_size=0)
        self._engine = engine
        self._from = f"{engine.source(name)} AS stored"
        self.expect(lambda _: None)
        self.set_aside: set[str] = set()
        self._find = f"SELECT document FROM {self._from} WHERE key = ?"  # noqa: S608 - tables are ours

    def expect(
        self,
        reader: Callable[[Document], object],
        *,
        instead: Callable[[str], Mapping[str, Any] | None] = lambda _: None,
    ) -> None:
        """Set documents aside that this reader rejects, and those that are no object.

        All calls then ignore them; they stay unchanged in the database, and ``set_aside`` collects their keys. reader:
        raises one of ``SHAPE_ERRORS``. instead: returns a replacement by key.
        """
        self._reader, self._instead = reader, instead

    def _read(self, key: str, text: str) -> Document | None:
        """Return a stored document, None if it is set aside. Raises DamagedFileError for invalid JSON."""
        found = parsed(text, self.name, self._engine)
        try:
            if type(found) is not dict:
                raise TypeError(type(found))
            document = _document(found, key)
            self._reader(document)
        except SHAPE_ERRORS:
            if key not in self.set_aside:
                log.warning("A record of %s cannot be read and is left out.", self.name)
                self.set_aside.add(key)
            replacement = self._instead(key)
            return None if replacement is None else _document(dict(replacement), key)
        if self.set_aside:
            self.set_aside.discard(key)
        return document

    # Added to TinyDB: single documents, and pages.

    def find(self, key: str) -> Document | None:
        rows = self._engine.rows(self._find, (key,))
        return self._read(key, rows[0][0]) if rows else None

    def find_many(self, keys: Iterable[str]) -> dict[str, Document]:
        """Return the documents of these keys, in this order, without missing ones.

        Only _MAX_KEYS documents at a time are from one snapshot.
        """
        wanted = list(keys)
        if len(wanted) == 1:  # a fast path: most calls have one key
            return {wanted[0]: document} if (document := self.find(wanted[0])) is not None else {}
        texts = self._column("document", wanted)
        read = {key: self._read(key, texts[key]) for key in wanted if key in texts}
        return {key: document for key, document in read.items() if document is not None}

    def values(self, field: str, keys: Iterable[str]) -> dict[str, Any]:
        """Return a field, which must have a column, by key, without missing documents. A missing field is None."""
        return self._column(self._engine.field(self.name, (field,)), keys)

    def _column(self, column: str, keys: Iterable[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        wanted = sorted(keys)  # neighbours are on the same pages
        for start in range(0, len(wanted), _MAX_KEYS):
            condition, parameters = self._engine.is_one_of("key", wanted[start : start + _MAX_KEYS])
            sql = f"SELECT key, {column} FROM {self._from} WHERE {condition}"  # noqa: S608 - tables are ours
            found.update(self._engine.rows(sql, parameters))
        return found

    def put(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Insert or replace documents by key.

        U+0000 becomes U+FFFD, since it ends a text in SQL. Raises TypeError for values that are no JSON.
        """
        texts = {key: _json(document) for key, document in documents.items()}
        with self._engine.transaction():
            self._engine.put(self.name, texts)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete the documents of these keys; missing ones are no error."""
        with self._engine.transaction():
            self._engine.delete(self.name, keys)

    def page(
        self,
        order: str,
        *,
        limit: int,
        offset: int = 0,
        after: tuple[Any, str] | None = None,
        descending: bool = False,
        matching: QueryLike | None = None,
        plan: Plan | None = None,
    ) -> list[Document]:
        """Return at most ``limit`` documents, sorted by a field, then by key. "key" is a field too.

        after: a cursor, (value of the field, key); the page starts behind it. Documents without the field come first;
        their value is None. plan: which index the engine must use, that of the order or that of the filter, if its own
        choice could be slow.
        """
        field = self._field(order)
        wanted = self._condition(matching)
        wanted_sql = f"{wanted.sql} IS TRUE" if plan == "order" else wanted.sql
        after_sql, values = self._after(order, field, after, descending=descending)
        column = f"coalesce({field}, NULL)" if plan == "filter" else field
        # Select keys first, so that documents of earlier pages are not read.
        keys = (
            f"SELECT key FROM {self._from} WHERE {wanted_sql} AND {after_sql} "  # noqa: S608 - as above
            f"ORDER BY {_ordered(column, descending=descending)} LIMIT ? OFFSET ?"
        )
        sql = (
            f"SELECT key, document FROM ({keys}) AS chosen JOIN {self._from} USING (key) "  # noqa: S608 - as above
            f"ORDER BY {_ordered(field, descending=descending)}"
        )
        rows = self._engine.rows(sql, (*wanted.parameters, *values, limit, offset))
        return [document for row in rows if (document := self._read(*row)) is not None]

    def _after(
        self, order: str, field: str, after: tuple[Any, str] | None, *, descending: bool
    ) -> tuple[str, Sequence[object]]:
        """Return SQL that is true after a cursor, and its parameters. NULL needs its own cases."""
        if after is None:
            return "TRUE", ()
        value, key = after
        if value is None:  # not IS NOT NULL, which differs for composite values
            return (
                f"({field} IS NULL AND key < ?)" if descending else f"(NOT {field} IS NULL OR key > ?)"
            ), (key,)
        sql, compared = (
            ("?", value) if order == "key" else self._engine.comparable(self.name, (order,), value)
        )
        after_sql = f"({field}, key) {'<' if descending else '>'} ({sql}, ?)"
        return f"({after_sql} OR {field} IS NULL)" if descending else after_sql, (compared, key)

    def sorted_keys(
        self,
        order: str,
        *,
        limit: int | None = None,
        descending: bool = False,
        matching: QueryLike | None = None,
    ) -> list[str]:
        """Return the keys of matching documents, sorted by a field, then by key.

        limit: at most so many keys; any matching ones, not the first in the order.
        """
        field = self._field(order)
        condition = self._condition(matching)
        ordered = _ordered("value", descending=descending)
        found = f"SELECT key, {field} AS value FROM {self._from} WHERE {condition.sql}"  # noqa: S608 - as above
        if limit is not None:
            found += f" LIMIT {limit}"
        # MATERIALIZED prevents the index of the order: sorting the keys is faster.
        sql = f"WITH found AS MATERIALIZED ({found}) SELECT key FROM found ORDER BY {ordered}"  # noqa: S608 - as above
        return [key for (key,) in self._engine.rows(sql, condition.parameters)]

    def walk(
        self, order: str = "key", *, descending: bool = False, matching: QueryLike | None = None
    ) -> Iterator[Document]:
        """Yield a snapshot of the documents, sorted by a field, then by key."""
        field = self._field(order)
        condition = self._condition(matching)
        ordered = _ordered(field, descending=descending)
        sql = f"SELECT key, document FROM {self._from} WHERE {condition.sql} ORDER BY {ordered}"  # noqa: S608 - as above
        for key, text in self._engine.walk(sql, condition.parameters):
            if (document := self._read(key, text)) is not None:
                yield document

    def count_and_walk(
        self, order: str, *, matching: QueryLike | None = None
    ) -> tuple[int, Iterator[dict[str, Any]]]:
        """Return the number of documents, and the same as ``walk``, from one snapshot."""
        number = 0

        def documents() -> Iterator[dict[str, Any]]:
            nonlocal number
            field = self._field(order)
            condition = self._condition(matching)
            among = f"{self._from} WHERE {condition.sql}"
            sql = f"SELECT key, document, (SELECT count(*) FROM {among}) FROM {among} ORDER BY {_ordered(field)}"  # noqa: S608 - as above
            for key, text, number in self._engine.walk(sql, (*condition.parameters, *condition.parameters)):  # noqa: B007
                if (document := self._read(key, text)) is not None:
                    yield document

        found = documents()
        first = next(found, None)
        return number, found if first is None else chain((first,), found)

    def _field(self, order: str) -> str:
        return "key" if order == "key" else self._engine.field(self.name, (order,))

    def _condition(self, query: QueryLike | None) -> Condition:
        if query is None:
            return Condition("TRUE", ())
        condition = to_sql(query, self._engine, self.name)
        if condition is None:
            raise ValueError(f"There is no SQL for {query!r}.")
        return condition

    # TinyDB's methods with a query: by SQL if it gives the same answer.

    def search(self, cond: QueryLike) -> list[Document]:
        return list(self._matching(cond))

    def get(self, cond: Any = None, doc_id: Any = None, doc_ids: Any = None) -> Any:
        if doc_id is None and doc_ids is not None:
            return [_document(found, key) for key, found in self.find_many(sorted(map(str, doc_ids))).items()]
        if doc_id is None and cond is not None:
            return next(self._matching(cond), None)
        return super().get(cond, doc_id=doc_id)

    def count(self, cond: QueryLike) -> int:
        if (condition := to_sql(cond, self._engine, self.name)) is None:
            return sum(1 for _ in self._matching(cond))
        sql = f"SELECT count(*) FROM {self._from} WHERE {condition.sql}"  # noqa: S608 - as above
        return int(self._engine.rows(sql, condition.parameters)[0][0])

    def update(self, fields: Any, cond: QueryLike | None = None, doc_ids: Iterable[Any] | None = None) -> Any:
        with self._engine.transaction():
            if doc_ids is None and cond is not None:
                doc_ids = [document.doc_id for document in self._matching(cond)]
            return super().update(fields, doc_ids=doc_ids)

    def remove(self, cond: QueryLike | None = None, doc_ids: Iterable[Any] | None = None) -> Any:
        with self._engine.transaction():
            if doc_ids is None and cond is not None:
                doc_ids = [document.doc_id for document in self._matching(cond)]
            return super().remove(doc_ids=doc_ids)

    def _matching(self, cond: QueryLike) -> Iterator[Document]:
        if to_sql(cond, self._engine, self.name) is not None:
            yield from self.walk(matching=cond)
        else:
            yield from (document for document in self.walk() if cond(document))

    # Methods that TinyDB's own code calls.

    def _read_table(self) -> Mapping[str, Mapping[str, Any]]:  # type: ignore[override]  # TinyDB declares a dict and needs a mapping
        return _StoredDocuments(self)

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        with self._engine.transaction():
            documents = _ChangedDocuments(self)
            updater(documents)
            documents.write()

    def _get_next_id(self) -> Any:
        return secrets.token_hex(8)

    def _keys(self) -> list[str]:
        return [key for (key,) in self._engine.rows(f"SELECT key FROM {self._from} ORDER BY key")]  # noqa: S608 - as above

    def _length(self) -> int:
        return int(self._engine.rows(f"SELECT count(*) FROM {self._from}")[0][0])  # noqa: S608 - as above


def _json(document: Mapping[str, Any]) -> str:
    text = orjson.dumps(document).decode()
    return _NUL.sub(r"\1\\ufffd", text) if "\\u0000" in text else text


def parsed(text: str, table: str, engine: Engine) -> Any:
    """Parse stored JSON. Raises DamagedFileError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise engine.damaged(Sentence("unreadable JSON in {table}", table=table)) from error


def _ordered(field: str, *, descending: bool = False) -> str:
    direction, nulls = (" DESC", " NULLS LAST") if descending else ("", " NULLS FIRST")
    # The key only once: SQL would sort by it twice.
    return f"key{direction}" if field == "key" else f"{field}{direction}{nulls}, key{direction}"


def _document(document: dict[str, Any], key: str) -> Document:
    return Document(document, key)  # type: ignore[arg-type]  # TinyDB's types allow only numbers


class _StoredDocuments(Mapping[str, dict[str, Any]]):
    """The stored documents, read lazily."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def __getitem__(self, key: str) -> dict[str, Any]:
        if (document := self._documents.find(key)) is None:
            raise KeyError(key)
        return document

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents._keys())

    def __len__(self) -> int:
        return self._documents._length()

    def items(self) -> Any:
        return ((document.doc_id, dict(document)) for document in self._documents.walk())


class _ChangedDocuments(MutableMapping[str, dict[str, Any]]):
    """The documents in a transaction. They may be changed in place; ``write`` stores the changes."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        # The stored JSON and the current document by key; None if deleted.
        self._seen: dict[str, tuple[bytes, dict[str, Any]] | None] = {}

    def __getitem__(self, key: str) -> dict[str, Any]:
        if key not in self._seen:
            document = self._documents.find(key)
            self._seen[key] = None if document is None else (orjson.dumps(document), document)
        if (seen := self._seen[key]) is None:
            raise KeyError(key)
        return seen[1]

    def __setitem__(self, key: str, document: Mapping[str, Any]) -> None:
        self._seen[key] = (b"", dict(document))

    def __delitem__(self, key: str) -> None:
        self[key]
        self._seen[key] = None

    def __iter__(self) -> Iterator[str]:
        keys = dict.fromkeys(self._documents._keys())
        keys.update(dict.fromkeys(self._seen))
        return (key for key in keys if self._seen.get(key, True) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        self._seen = dict.fromkeys(self._documents._keys())

    def write(self) -> None:
        changed = {
            key: seen[1] for key, seen in self._seen.items() if seen and orjson.dumps(seen[1]) != seen[0]
        }
        self._documents.put(changed)
        self._documents.delete(key for key, seen in self._seen.items() if seen is None)
