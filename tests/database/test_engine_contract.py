"""What every database engine has to do."""

import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from worker.database import Database
from worker.database.sqlite import SQLite

AT = datetime(2026, 9, 10, 12, 0, tzinfo=UTC)
Open = Callable[..., Database]


def keys(documents: object) -> list[str]:
    return [document.doc_id for document in documents]  # type: ignore[attr-defined]


# Documents


def test_a_document_comes_back_as_it_was_put(database: Database) -> None:
    document: dict[str, Any] = {
        "text": "Zoë \U0001f600 \\u0000 \ufffd",
        "list": [1, 2.5, None, True],
        "object": {"a": {}},
        "none": None,
    }
    database.documents("blocks").put({"a": document})
    assert database.documents("blocks").find("a") == document


def test_a_nul_in_a_text_is_replaced_as_sql_would_end_there(database: Database) -> None:
    database.documents("blocks").put({"a": {"x": "a\0b", "y": ["\\\0\0"], "\0": "\\u0000"}})
    assert database.documents("blocks").find("a") == {
        "x": "a\ufffdb",
        "y": ["\\\ufffd\ufffd"],
        "\ufffd": "\\u0000",
    }


def test_a_document_that_is_put_again_is_replaced(database: Database) -> None:
    blocks = database.documents("blocks")
    blocks.put({"a": {"x": 1, "y": 1}})
    blocks.put({"a": {"x": 2}})
    assert blocks.find("a") == {"x": 2}
    assert len(blocks) == 1


def test_a_key_that_is_not_there_has_no_document(database: Database) -> None:
    blocks = database.documents("blocks")
    blocks.put({"a": {}})
    assert blocks.find("A") is None
    assert blocks.find_many(["b", "c"]) == {}


def test_many_documents_are_found_and_those_missing_left_out(database: Database) -> None:
    blocks = database.documents("blocks")
    blocks.put({str(number): {"n": number} for number in range(0, 70_000, 2)})
    found = blocks.find_many(str(number) for number in range(70_000))
    assert found == {str(number): {"n": number} for number in range(0, 70_000, 2)}


def test_many_documents_are_found_in_the_order_in_which_they_are_asked_for(database: Database) -> None:
    database.documents("blocks").put({"a": {}, "b": {}, "c": {}})
    assert list(database.documents("blocks").find_many(["c", "x", "a", "b", "a"])) == ["c", "a", "b"]


def test_tables_do_not_share_keys(database: Database) -> None:
    database.documents("blocks").put({"a": {"in": "blocks"}})
    database.documents("unblocked").put({"a": {"in": "unblocked"}})
    database.documents("blocks").delete(["a"])
    assert database.documents("blocks").find("a") is None
    assert database.documents("unblocked").find("a") == {"in": "unblocked"}


def test_deleting_what_is_not_there_is_no_error(database: Database) -> None:
    blocks = database.documents("blocks")
    blocks.put({"a": {}, "b": {}})
    blocks.delete(["a", "c"])
    assert keys(blocks.all()) == ["b"]


def test_there_are_no_tables_but_those_of_the_schema(database: Database) -> None:
    with pytest.raises(KeyError):
        database.documents("others")


def test_a_document_that_is_no_json_is_refused_and_nothing_stored(database: Database) -> None:
    blocks = database.documents("blocks")
    with pytest.raises(TypeError):
        blocks.put({"a": {"x": 1}, "b": {"x": object()}})
    assert blocks.find("a") is None


# Pages


# By first_seen: no field (b, e), then 1 (d), 2 (a, c), 3 (f).
LISTED: dict[str, dict[str, Any]] = {
    "a": {"first_seen": "2", "reason": "manual"},
    "b": {"first_seen": None, "reason": "manual"},
    "c": {"first_seen": "2", "reason": "imported"},
    "d": {"first_seen": "1", "reason": "imported"},
    "e": {"reason": "imported"},
    "f": {"first_seen": "3", "reason": "manual"},
}
IN_ORDER = ["b", "e", "d", "a", "c", "f"]


@pytest.fixture
def listed(database: Database) -> Database:
    database.documents("blocks").put(LISTED)
    return database


def test_a_page_is_in_the_order_of_a_field_then_of_the_key(listed: Database) -> None:
    blocks = listed.documents("blocks")
    assert keys(blocks.page("first_seen", limit=10)) == IN_ORDER
    assert keys(blocks.page("first_seen", limit=10, descending=True)) == IN_ORDER[::-1]
    assert keys(blocks.page("key", limit=10)) == sorted(IN_ORDER)
    assert blocks.page("key", limit=1) == [LISTED["a"]]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("plan", [None, "order", "filter"])
def test_a_page_starts_at_an_offset_whatever_the_plan(
    listed: Database, descending: bool, plan: object
) -> None:
    blocks = listed.documents("blocks")
    order = [key for key in IN_ORDER if LISTED[key]["reason"] == "manual"][:: -1 if descending else 1]
    for offset in range(len(order) + 1):
        found = blocks.page(
            "first_seen",
            limit=2,
            offset=offset,
            descending=descending,
            matching=where("reason") == "manual",
            plan=plan,  # type: ignore[arg-type]
        )
        assert keys(found) == order[offset : offset + 2]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", ["first_seen", "key", "reason"])
def test_pages_that_start_behind_the_last_document_join_without_a_gap(
    listed: Database, field: str, descending: bool
) -> None:
    blocks = listed.documents("blocks")
    whole = keys(blocks.page(field, limit=10, descending=descending))
    seen: list[str] = []
    after = None
    while page := blocks.page(field, limit=1, after=after, descending=descending):
        key = page[0].doc_id
        seen.append(str(key))
        after = (key if field == "key" else page[0].get(field), str(key))
    assert seen == whole
    assert sorted(seen) == sorted(LISTED)


def test_a_field_without_an_index_sorts_as_well(database: Database) -> None:
    blocks = database.documents("blocks")
    blocks.put({"a": {"note": "y"}, "b": {"note": "x"}, "c": {"note": "Z"}, "d": {"note": "é"}})
    assert keys(blocks.page("note", limit=10)) == ["c", "b", "a", "d"]
    assert keys(blocks.walk("note")) == ["c", "b", "a", "d"]
    assert blocks.sorted_keys("note", descending=True) == ["d", "a", "b", "c"]


def test_a_page_refuses_a_query_that_only_tinydb_understands(listed: Database) -> None:
    with pytest.raises(ValueError, match="no SQL"):
        listed.documents("blocks").page("key", limit=1, matching=where("reason").test(bool))


def test_a_walk_yields_matching_documents_in_order(listed: Database) -> None:
    blocks = listed.documents("blocks")
    assert keys(blocks.walk("first_seen")) == IN_ORDER
    assert keys(blocks.walk("first_seen", matching=where("reason") == "imported")) == ["e", "d", "c"]
    number, documents = blocks.count_and_walk("first_seen", matching=where("reason") == "imported")
    assert (number, list(documents)) == (3, [LISTED["e"], LISTED["d"], LISTED["c"]])


def test_a_walk_shows_the_state_in_which_it_began(listed: Database) -> None:
    blocks = listed.documents("blocks")
    walk = blocks.walk()
    first = next(walk)
    blocks.put({"a": {"first_seen": "9"}, "g": {}})
    blocks.delete(["f"])
    assert [first, *walk] == [LISTED[key] for key in sorted(LISTED)]
    assert keys(blocks.walk()) == ["a", "b", "c", "d", "e", "g"]


def test_a_walk_inside_a_transaction_does_not_see_what_is_changed_on_the_way(listed: Database) -> None:
    blocks = listed.documents("blocks")
    with listed.together():
        for number, document in enumerate(blocks.walk()):
            blocks.put({f"z{number}": dict(document)})
    assert len(blocks) == 2 * len(LISTED)


def test_a_walk_that_nobody_finishes_holds_back_nothing(listed: Database) -> None:
    blocks = listed.documents("blocks")
    with listed.together():
        left = blocks.walk()
        next(left)
    blocks.put({"a": {"first_seen": "9"}})
    assert isinstance(left, Generator)
    left.close()
    assert blocks.find("a") == {"first_seen": "9"}
    # Had its connection come back twice, the change of one thread would be in the transaction of another.
    with listed.together():
        blocks.put({"a": {}})
        assert in_a_thread(lambda: blocks.find("a")) == {"first_seen": "9"}


# Transactions


class Stop(Exception):  # noqa: N818 - no error, a way out
    """What makes a transaction fail."""


def in_a_thread(call: Callable[[], object]) -> object:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join()
    return found[0]


def test_a_transaction_changes_several_tables_or_none(database: Database) -> None:
    database.documents("orders").put({"o": {"key": "old"}})
    with suppress(Stop), database.transaction("block", by="tests", at=AT) as change:
        database.documents("blocks").put({"a": {}})
        database.documents("orders").delete(["o"])
        database.documents("unblocked").insert({"x": 1})
        change.entries["a"] = "blocked"
        raise Stop
    assert database.tables() == {"orders"}
    assert list(database.events()) == []


def test_changes_are_seen_inside_the_transaction_and_outside_only_at_its_end(
    opened: Open, database: Database
) -> None:
    blocks, other = database.documents("blocks"), opened().documents("blocks")
    with database.together():
        blocks.put({"a": {}})
        assert blocks.find("a") == {}
        assert keys(blocks.walk()) == keys(blocks.page("key", limit=9)) == ["a"]
        assert in_a_thread(lambda: blocks.find("a")) is None
        assert in_a_thread(lambda: other.find("a")) is None
    assert other.find("a") == {}


def test_a_transaction_inside_another_is_durable_only_with_it(database: Database) -> None:
    blocks = database.documents("blocks")
    with suppress(Stop), database.together():
        with database.together():
            blocks.put({"a": {}})
        raise Stop
    assert len(blocks) == 0


def test_a_transaction_inside_another_can_be_undone_alone(database: Database) -> None:
    blocks = database.documents("blocks")
    with database.together():
        blocks.put({"before": {}})
        with suppress(Stop), database.together():
            blocks.put({"inside": {}})
            with database.together():
                blocks.put({"deeper": {}})
            raise Stop
        blocks.put({"behind": {}})
    assert keys(blocks.all()) == ["before", "behind"]


def test_a_put_that_fails_half_way_leaves_the_transaction_as_it_was(database: Database) -> None:
    blocks = database.documents("blocks")
    with database.together():
        with pytest.raises(UnicodeEncodeError):
            blocks.put({"a": {}, "\ud800": {}})
        blocks.put({"b": {}})
    assert keys(blocks.all()) == ["b"]


def test_the_database_can_be_used_after_an_exception(database: Database) -> None:
    for _ in range(20):
        with suppress(Stop), database.together():
            raise Stop
    database.documents("blocks").put({"a": {}})
    assert database.documents("blocks").find("a") == {}


# Events


def test_a_transaction_that_names_entries_is_one_event(database: Database) -> None:
    with database.transaction("block", by="seller@gmail.com", at=AT) as change:
        database.documents("blocks").put({"a": {"sequence": change.sequence}})
        change.entries["a"] = "blocked"
        change.entries["Zoë"] = "unblocked"
    (event,) = database.events()
    assert (event.what, event.by, event.at) == ("block", "seller@gmail.com", "2026-09-10T12:00:00Z")
    assert event.entries == (("blocked", "a"), ("unblocked", "Zoë"))
    assert database.documents("blocks").find("a") == {"sequence": event.sequence}


def test_a_transaction_that_names_no_entry_is_no_event(database: Database) -> None:
    version = database.version()
    with database.transaction("block", by="tests", at=AT):
        database.documents("blocks").put({"a": {}})
    with database.together():
        database.documents("blocks").put({"b": {}})
    assert list(database.events()) == []
    assert database.version() == version


def test_events_are_numbered_in_order_and_can_be_read_from_a_number_on(database: Database) -> None:
    for number in range(3):
        with database.transaction(f"change {number}", by="tests", at=AT) as change:
            change.entries["a"] = "blocked"
    assert [(event.sequence, event.what) for event in database.events()] == [
        (1, "change 0"),
        (2, "change 1"),
        (3, "change 2"),
    ]
    assert [event.sequence for event in database.events(after=2)] == [3]
    assert list(database.events(after=3)) == []


def test_the_version_changes_with_every_event_for_all_who_look(opened: Open, database: Database) -> None:
    other = opened()
    versions = {other.version()}
    for _ in range(3):
        with database.transaction("block", by="tests", at=AT) as change:
            change.entries["a"] = "blocked"
        versions.add(other.version())
        assert database.version() == other.version()
    assert len(versions) == 4


# Several at once


def test_readers_see_whole_states_only(opened: Open, database: Database) -> None:
    blocks, orders = database.documents("blocks"), database.documents("orders")
    names = [f"k{number:03}" for number in range(20)]

    def write(number: int) -> None:
        with database.together():
            for name in names:
                blocks.put({name: {"first_seen": str(number)}})
            orders.put({"newest": {"number": number}})

    write(0)
    done = threading.Event()
    wrong: list[object] = []
    looks: list[int] = []

    def read(database: Database) -> None:
        blocks = database.documents("blocks")
        while not done.is_set():
            for state in (
                list(blocks.walk()),
                list(blocks.find_many(names).values()),
                blocks.page("first_seen", limit=100),
            ):
                values = {document["first_seen"] for document in state}
                if len(state) != len(names) or len(values) != 1:
                    wrong.append(state)
            looks.append(1)

    readers = [threading.Thread(target=read, args=[it]) for it in (database, database, opened())]
    for thread in readers:
        thread.start()
    for number in range(50):
        write(number)
    done.set()
    for thread in readers:
        thread.join()
    assert wrong == []
    assert looks


def test_a_backup_equals_the_database_and_opens(listed: Database, tmp_path: Path) -> None:
    with listed.transaction("block", by="tests", at=AT) as change:
        change.entries["a"] = "blocked"
    listed.backup(tmp_path / "copy.db")
    copy = Database(SQLite(tmp_path / "copy.db"))
    copy.engine.check()
    assert copy.tables() == {"blocks"}
    assert {str(it.doc_id): it for it in copy.documents("blocks")} == LISTED
    assert (list(copy.events()), copy.version()) == (list(listed.events()), listed.version())
    copy.close()


def test_a_backup_while_others_write_is_one_whole_state(database: Database, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            with database.together():
                database.documents("blocks").put({f"k{it}": {"n": number} for it in range(200)})
                database.documents("orders").put({"newest": {"n": number}})

    writer = threading.Thread(target=write)
    writer.start()
    copies = []
    for number in range(5):
        database.backup(tmp_path / f"copy{number}.db")
        copies.append(Database(SQLite(tmp_path / f"copy{number}.db")))
    done.set()
    writer.join()
    for copy in copies:
        newest = copy.documents("orders").find("newest")
        assert all(document == newest for document in copy.documents("blocks"))
        assert len(copy.documents("blocks")) in ({0} if newest is None else {200})
        copy.close()
