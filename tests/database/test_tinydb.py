"""TinyDB's own calls do on our tables what they do on plain TinyDB. Only ids differ: ours are texts."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tinydb import Query, TinyDB, where
from tinydb.operations import add, delete, increment
from tinydb.operations import set as set_to
from tinydb.queries import QueryInstance
from tinydb.storages import MemoryStorage
from tinydb.table import Document, Table

from worker.database import Database, Documents, containing, open_database

Documented = dict[str, dict[str, Any]]

SOME: Documented = {
    "1": {"reason": "manual", "notices": 3, "orders": ["o1", "o2"], "deep": {"a": {"b": 1}}},
    "2": {"reason": "imported", "notices": 1, "orders": []},
    "3": {"reason": "manual", "notices": None, "note": "Zoë"},
    "4": {},
}


def filled(table: Table, documents: Documented) -> Table:
    table.truncate()
    table.insert_multiple(Document(document, key) for key, document in documents.items())  # type: ignore[arg-type]
    return table


@pytest.fixture
def ours(database: Database) -> Table:
    return filled(database.documents("blocks"), SOME)


class Plain(Table):
    """TinyDB's table with ids that are texts, as ours are."""

    document_id_class = str  # type: ignore[assignment]


@pytest.fixture
def plain() -> Table:
    return filled(Plain(MemoryStorage(), "blocks"), SOME)  # type: ignore[no-untyped-call]


def content(table: Table) -> Documented:
    return {str(document.doc_id): dict(document) for document in table}


MANUAL = where("reason") == "manual"
NOBODY = where("reason") == "nobody"


def fail(document: Any) -> None:
    document["half"] = True
    if document.get("reason") == "imported":
        raise LookupError


# Each is made on both tables; what it returns, or raises, and what it leaves have to be the same.
CALLS: dict[str, Callable[[Table], object]] = {
    "get by id": lambda it: it.get(doc_id="1"),  # type: ignore[call-overload]
    "get by an id that is not there": lambda it: it.get(doc_id="9"),  # type: ignore[call-overload]
    "get by ids": lambda it: it.get(doc_ids=["3", "1", "9"]),
    "get by a query": lambda it: it.get(where("reason") == "imported"),
    "get by a query that nothing matches": lambda it: it.get(NOBODY),
    "get by nothing": lambda it: it.get(),
    "contains an id": lambda it: [it.contains(doc_id=key) for key in ("1", "9")],  # type: ignore[arg-type]
    "contains a match": lambda it: [it.contains(query) for query in (MANUAL, NOBODY)],
    "contains nothing": lambda it: it.contains(),
    "search": lambda it: it.search(MANUAL),
    "search by a function": lambda it: it.search(lambda document: "note" in document),
    "search by an empty query": lambda it: it.search(where("reason")),
    "count": lambda it: it.count(MANUAL),
    "count by a function": lambda it: it.count(lambda document: "note" in document),
    "all": lambda it: it.all(),
    "len": len,
    "iteration": list,
    "insert a document with an id": lambda it: it.insert(Document({"x": 1}, "7")),  # type: ignore[arg-type]
    "insert an id that is there": lambda it: it.insert(Document({"x": 1}, "1")),  # type: ignore[arg-type]
    "insert what is no document": lambda it: it.insert(["x"]),  # type: ignore[arg-type]
    "insert several": lambda it: it.insert_multiple(Document({"n": n}, f"n{n}") for n in range(3)),  # type: ignore[arg-type]
    "insert several, one of them there": lambda it: it.insert_multiple(
        [Document({"n": 1}, "n"), Document({"n": 2}, "1")]  # type: ignore[arg-type]
    ),
    "upsert an id that is there": lambda it: it.upsert(Document({"x": 1}, "1")),  # type: ignore[arg-type]
    "upsert a new id": lambda it: it.upsert(Document({"x": 1}, "7")),  # type: ignore[arg-type]
    "upsert by a query": lambda it: it.upsert({"x": 1}, MANUAL),
    "upsert without a query": lambda it: it.upsert({"x": 1}),
    "update all": lambda it: it.update({"x": {"y": [1]}}),
    "update by a query": lambda it: it.update({"x": 1, "reason": "imported"}, MANUAL),
    "update by a query for a nested field": lambda it: it.update({"x": 1}, Query().deep.a.b == 1),
    "update by a query that only Python answers": lambda it: it.update({"x": 1}, where("notices").test(bool)),
    "update by ids": lambda it: it.update({"x": 1}, doc_ids=["4", "9", "1"]),  # type: ignore[list-item]
    "update by a function": lambda it: it.update(
        lambda document: document.pop("note"), where("note").exists()
    ),
    "update by operations": lambda it: [
        it.update(increment("notices"), where("notices") == 3),
        it.update(add("orders", ["o3"]), where("orders").any(["o1"])),  # type: ignore[arg-type]
        it.update(delete("reason"), MANUAL),
        it.update(set_to("z", 1), where("reason").exists()),
    ],
    "update in place": lambda it: it.update(
        lambda document: document["deep"]["a"].clear(), where("deep").exists()
    ),
    "update that fails half way": lambda it: it.update(fail),
    "update several": lambda it: it.update_multiple(
        [({"x": 1}, MANUAL), (delete("reason"), where("reason") == "imported")]
    ),
    "remove by a query": lambda it: it.remove(MANUAL),
    "remove by a query that only Python answers": lambda it: it.remove(where("note").search("o")),
    "remove by ids": lambda it: it.remove(doc_ids=["4", "9"]),  # type: ignore[list-item]
    "remove nothing": lambda it: it.remove(),
    "truncate": lambda it: it.truncate(),
}


def outcome(call: Callable[[Table], object], table: Table) -> object:
    try:
        return call(table)
    except (ValueError, RuntimeError, LookupError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_does_what_it_does_on_plain_tinydb(name: str, ours: Table, plain: Table) -> None:
    expected = outcome(CALLS[name], plain)
    if name != "update that fails half way":  # TinyDB in memory keeps the first half
        assert (outcome(CALLS[name], ours), content(ours)) == (expected, content(plain))
    else:
        assert (outcome(CALLS[name], ours), content(ours)) == (expected, SOME)


def test_a_document_without_an_id_gets_a_new_one(ours: Table) -> None:
    first = ours.insert({"n": 1})
    others = ours.insert_multiple([{"n": 2}, {"n": 3}])
    (fourth,) = ours.upsert({"n": 4}, NOBODY)
    assert [ours.get(doc_id=key) for key in (first, *others, fourth)] == [{"n": n} for n in (1, 2, 3, 4)]
    assert len(ours) == len(SOME) + 4


def test_what_is_read_can_be_changed_without_changing_what_is_stored(ours: Table) -> None:
    document = ours.get(doc_id="1")  # type: ignore[call-overload]
    document["orders"].append("o9")
    assert content(ours) == SOME


def test_tables_are_those_with_documents_and_dropping_empties_them(database: Database, ours: Table) -> None:
    orders = database.table("orders")
    orders.insert({"x": 1})
    assert database.tables() == {"blocks", "orders"}
    database.drop_table("blocks")
    assert (len(ours), len(orders), database.tables()) == (0, 1, {"orders"})
    ours.insert({"x": 1})
    database.drop_tables()
    assert (len(ours), len(orders), database.tables()) == (0, 0, set())


def test_the_database_itself_is_its_table_of_blocks(database: Database, ours: Table) -> None:
    assert len(database) == len(ours)
    assert list(database) == list(ours)
    assert database.search(MANUAL) == ours.search(MANUAL)


def test_a_database_is_closed_at_the_end_of_a_with_block(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        database.insert(Document({"x": 1}, "a"))  # type: ignore[arg-type]
    assert sorted(it.name for it in tmp_path.iterdir()) == ["buyerblock.db"]


def test_emptying_a_table_takes_one_look_at_it(ours: Table) -> None:
    # Were every key read again for each document, this would take minutes.
    ours.insert_multiple({"n": n} for n in range(20_000))
    ours.truncate()
    assert len(ours) == 0


# Queries

# Fields with and without a column; columns hold texts and numbers only, or are missing.
COLUMN, TEXT_COLUMN = "reason", "marketplace"
FIELDS = ("a", "b", "not plain", "é")
texts = st.one_of(
    st.sampled_from(
        ["", "a", "A", "ab", "é", "\U0001f600", "\uffff", "1", "null", "*", "?", "[a]", '["a"]', "'\"\\"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
)
numbers = st.one_of(
    st.integers(-2, 2),
    st.sampled_from([2**53, 2**53 + 1, 2**63 - 1, -(2**63), 0.1, 1e300, 1.0, -0.0]),
    st.floats(allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=2)
    ),
    max_leaves=4,
)
documents = st.fixed_dictionaries(
    {}, optional={COLUMN: texts | numbers, TEXT_COLUMN: texts, **dict.fromkeys(FIELDS, values)}
)

# Names; 0 and a function are no names, and only TinyDB can follow them.
paths = st.one_of(
    st.sampled_from([(COLUMN,), (TEXT_COLUMN,)]),
    st.lists(st.sampled_from(FIELDS), min_size=1, max_size=2).map(tuple),
    st.sampled_from([("a", 0), ("a", None)]),
)


def at(path: tuple[Any, ...]) -> Query:
    query = Query()
    for name in path:
        query = query[name] if name is not None else query.map(lambda value: value)
    return query


SIGNS: list[Callable[[Any, Any], QueryInstance]] = [
    lambda path, value: path == value,
    lambda path, value: path != value,
    lambda path, value: path < value,
    lambda path, value: path <= value,
    lambda path, value: path > value,
    lambda path, value: path >= value,
]


def is_short(value: object, most: int) -> bool:
    return len(json.dumps(value)) <= most


comparisons = st.builds(
    lambda path, sign, value: sign(at(path), value), paths, st.sampled_from(SIGNS), scalars
)
equalities = st.builds(
    lambda path, sign, value: sign(at(path), value), paths, st.sampled_from(SIGNS[:2]), values
)
tests = st.one_of(
    st.builds(lambda path: at(path).exists(), paths),
    st.builds(lambda path, items: at(path).one_of(items), paths, st.lists(scalars, max_size=3)),
    st.builds(lambda path, items: at(path).one_of(items), paths, st.lists(texts, max_size=3)),
    st.builds(lambda path, text: at(path).matches(re.escape(text)), paths, texts),
    st.builds(lambda path, text: at(path).search(re.escape(text)), paths, texts),
    st.builds(lambda path, items: at(path).any(items), paths, st.lists(scalars, max_size=3)),
    st.builds(lambda path, items: at(path).all(items), paths, st.lists(scalars, max_size=3)),
    st.builds(lambda path, query: at(path).any(query), paths, equalities),
    st.builds(lambda path, query: at(path).all(query), paths, equalities),
    st.builds(lambda path, most: at(path).test(is_short, most), paths, st.integers(1, 20)),  # type: ignore[arg-type]
    st.builds(lambda document: Query().fragment(document), documents),
    st.builds(lambda: Query().noop()),
    st.builds(lambda text: containing(TEXT_COLUMN, text), texts),
)
queries = st.recursive(
    comparisons | equalities | tests,
    lambda inner: st.one_of(
        st.builds(lambda left, right: left & right, inner, inner),
        st.builds(lambda left, right: left | right, inner, inner),
        st.builds(lambda query: ~query, inner),
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents, min_size=1, max_size=8), st.lists(queries, min_size=1, max_size=6))
@example([{"a": "a"}], [where("a") == "a\0b", where("a") < "a\0b", where("a").one_of(["a\0b"])])
@example([{"a": {"b": None}}, {"a": {}}, {"a": None}, {}], [~(where("a")["b"] == None), where("a").exists()])  # noqa: E711
@example([{"a": True}, {"a": 1}, {"a": 1.0}, {"a": "1"}], [where("a") == 1, where("a") != True])  # noqa: E712
@example([{"a": 2**53 + 1}, {"a": float(2**53)}], [where("a") > 2**53 - 1, where("a") == 2**53])
@example([{"a": ["a"]}, {"a": '["a"]'}], [where("a") == '["a"]', where("a") == ["a"]])
@example([{COLUMN: "a"}, {}], [where(COLUMN).one_of([]), ~where(COLUMN).one_of([]), where(COLUMN) != "a"])
def test_a_query_finds_what_plain_tinydb_finds(
    database: Database, stored: list[dict[str, Any]], asked: list[QueryInstance]
) -> None:
    named = {f"k{number}": document for number, document in enumerate(stored)}
    ours, plain = database.documents("blocks"), TinyDB(storage=MemoryStorage)
    filled(ours, named)
    plain.insert_multiple(stored)
    for query in asked:
        try:
            expected = {f"k{document.doc_id - 1}" for document in plain.search(query)}
        except TypeError:
            continue  # values that Python does not compare
        assert {str(document.doc_id) for document in ours.search(query)} == expected, query
        assert ours.count(query) == len(expected), query


@pytest.mark.parametrize(
    "query",
    [
        where("reason") == "manual",
        where("note") != "x",
        (where("first_seen") >= "2026") & ~(where("notices") == 3),
        where("reason").one_of(["manual", "imported"]) | where("deep")["a"].exists(),
        Query().noop(),
    ],
    ids=lambda _: "query",  # the words of a set have another order in each process
)
def test_queries_of_texts_and_numbers_run_in_the_database(ours: Documents, query: QueryInstance) -> None:
    # A page takes only queries that have SQL.
    assert {it.doc_id for it in ours.page("key", limit=9, matching=query)} == {
        it.doc_id for it in ours if query(it)
    }
