"""What is true of PostgreSQL alone: sellers beside each other, connections that are lost, tables that are missing."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tinydb import where

from oauth_web.demo.postgres_server import Server
from worker.database import Database
from worker.database.engine import Row
from worker.database.postgres import Postgres, open_pool
from worker.database.postgres_pool import Pool
from worker.database.postgres_schema import add_tenant, migrate, remove_tenant
from worker.database.schema import TABLES, VERSION
from worker.database.sqlite import SQLite
from worker.errors import BusyError, DamagedFileError, StorageError

pytestmark = pytest.mark.postgres

AT = datetime(2026, 9, 10, 12, 0, tzinfo=UTC)
Open = Callable[[str], Database]


@pytest.fixture
def tenant(pool: Pool, tmp_path: Path) -> Open:
    return lambda name: opened(pool, f"{tmp_path} {name}")


def opened(pool: Pool, owner: str) -> Database:
    return Database(Postgres(pool, pool.run(lambda it: add_tenant(it, owner))))


@contextmanager
def empty(server: Server, name: str, *, more: str = "") -> Iterator[str]:
    """Make another database; yield its address."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {more}".encode())
        yield server.url(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def in_a_thread(call: Callable[[], object]) -> object:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    thread.join(5)
    return found[0]


# Two sellers

KEYS = st.sampled_from(["a", "b", "B", "é", "\U0001f600"])
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 1), st.sampled_from(["blocks", "unblocked"]), KEYS, st.integers(0, 3) | st.none()
    ),
    max_size=12,
)


def change(database: Database, table: str, key: str, number: int | None) -> None:
    with database.transaction("change", by="tests", at=AT) as changed:
        if number is None:
            database.documents(table).delete([key])
        else:
            database.documents(table).put({key: {"last_seen": str(number), "notices": number, "note": key}})
        changed.entries[key] = table


def shown(database: Database) -> object:
    """Return what every kind of question about a database answers."""
    about: dict[str, object] = {"tables": database.tables(), "events": list(database.events())}
    for name in ("blocks", "unblocked"):
        table = database.documents(name)
        about[name] = (
            sorted((it.doc_id, dict(it)) for it in table.walk()),
            table.page("last_seen", limit=9, descending=True, plan="filter", matching=where("notices") > 0),
            table.page("note", limit=9, after=("a", "a")),
            table.sorted_keys("notices"),
            table.values("last_seen", ["a", "b", "B"]) if name == "blocks" else table.find_many(["a", "b"]),
            (len(table), table.count(where("note") == "a"), table.contains(where("notices") == 3)),
        )
    return about


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_neither_of_two_sellers_sees_anything_of_the_other(
    tenant: Open, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str, str, int | None]]
) -> None:
    name = tmp_path_factory.mktemp("pair").name
    pair, alone = (
        [tenant(f"{name} {it}") for it in range(2)],
        [tenant(f"{name} alone {it}") for it in range(2)],
    )
    for which, table, key, number in changes:
        change(pair[which], table, key, number)
    for which in range(2):
        for other, table, key, number in changes:
            if other == which:
                change(alone[which], table, key, number)
    assert [shown(it) for it in pair] == [shown(it) for it in alone]


def test_what_one_seller_deletes_stays_with_the_other(tenant: Open) -> None:
    one, other = tenant("one"), tenant("other")
    for database in (one, other):
        change(database, "blocks", "a", 1)
    one.drop_tables()
    one.documents("blocks").delete(["a"])
    assert (one.tables(), other.tables()) == (set(), {"blocks"})
    assert one.engine.lineage != other.engine.lineage


def test_sellers_do_not_wait_for_one_another_and_readers_for_nobody(tenant: Open) -> None:
    one, other = tenant("one"), tenant("other")
    change(one, "blocks", "a", 1)
    with one.together():
        one.documents("blocks").put({"a": {"notices": 2}})
        assert in_a_thread(lambda: change(other, "blocks", "a", 3)) is None
        assert in_a_thread(lambda: one.documents("blocks").find("a")) == {
            "last_seen": "1",
            "notices": 1,
            "note": "a",
        }
    assert other.documents("blocks").values("notices", ["a"]) == {"a": 3}


def test_a_writer_who_waits_too_long_is_told_that_another_one_is_writing(
    postgres: Server, tenant: Open
) -> None:
    with closing(Pool(postgres.url(), patience=0.05)) as impatient:
        one = tenant("one")
        other = Database(Postgres(impatient, one.engine._tenant))  # type: ignore[attr-defined]
        with one.together(), pytest.raises(BusyError, match="try again"):
            change(other, "blocks", "a", 1)
        change(other, "blocks", "a", 1)


def test_events_of_many_writers_are_numbered_without_a_gap(tenant: Open) -> None:
    databases = [tenant("one"), tenant("one"), tenant("other")]

    def write(database: Database) -> None:
        for number in range(20):
            change(database, "blocks", "a", number % 4)
            with suppress(ZeroDivisionError), database.transaction("undone", by="tests", at=AT) as undone:
                undone.entries["a"] = "changed"
                raise ZeroDivisionError

    threads = [threading.Thread(target=write, args=[it]) for it in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [it.sequence for it in databases[0].events()] == list(range(1, 41))
    assert databases[2].engine.newest() == 20


def test_a_seller_who_is_removed_leaves_nothing_and_others_everything(pool: Pool, tenant: Open) -> None:
    one, other = tenant("one"), tenant("other")
    for table in TABLES:
        one.documents(table).put({"a": {}})
        other.documents(table).put({"a": {}})
    change(one, "blocks", "a", 1)
    pool.run(lambda connection: remove_tenant(connection, one.engine._tenant))  # type: ignore[attr-defined]
    assert (one.tables(), list(one.events())) == (set(), [])
    assert other.tables() == set(TABLES)
    with pytest.raises(StorageError, match="no longer here"), one.together():
        pass


def test_a_seller_has_one_place(tenant: Open) -> None:
    assert tenant("one").engine.lineage == tenant("one").engine.lineage


# Indexes


def test_pages_and_counts_are_answered_by_indexes(pool: Pool, tenant: Open) -> None:
    databases = [tenant("one"), tenant("other"), tenant("third")]
    for database in databases:
        database.documents("blocks").put(
            {
                f"k{number:05}": {
                    "first_seen": f"2026-{number:05}",
                    "last_seen": f"2027-{number:05}",
                    "notices": number % 7,
                    "kind": ("manual", "imported", "opted_out")[number % 3],
                    "search": f"text {number}" * 20,
                }
                for number in range(3000)
            }
        )
        database.documents("notices").put(
            {
                f"k{number:05}": {
                    "block": f"k{number // 2}",
                    "blocked": number % 2 == 0,
                    "received_at": f"2026-{number:05}",
                }
                for number in range(3000)
            }
        )
        database.documents("review").put(
            {
                f"k{number:05}": {
                    "state": ("waiting", "blocked")[number % 2],
                    "received_at": f"2026-{number:05}",
                }
                for number in range(3000)
            }
        )
    pool.run(lambda connection: connection.execute("ANALYZE"))
    blocks = databases[0].documents("blocks")
    asked: list[tuple[str, Any]] = []
    engine: Any = databases[0].engine
    rows: Callable[[str, Any], list[Row]] = engine.rows

    def noted(sql: str, parameters: Any = ()) -> list[Row]:
        asked.append((sql, parameters))
        return rows(sql, parameters)

    engine.rows = noted
    manual = where("kind") == "manual"
    for field in ("key", "first_seen", "last_seen", "notices"):
        for descending in (False, True):
            blocks.page(field, limit=50, descending=descending)
            blocks.page(field, limit=50, offset=500, descending=descending, matching=manual, plan="order")
    blocks.page("first_seen", limit=50, after=("2026-01000", "k01000"))
    blocks.page("first_seen", limit=50, after=("2026-01000", "k01000"), matching=manual)
    blocks.page("last_seen", limit=50, matching=where("last_seen") >= "2027-02900")
    blocks.count(manual)
    blocks.find("k00001")
    blocks.find_many([f"k{number:05}" for number in range(100)])
    for name, matching in (("notices", where("blocked") == True), ("review", where("state") == "waiting")):  # noqa: E712
        table = databases[0].documents(name)
        table.page("received_at", limit=50, offset=100, descending=True, matching=matching)
        table.count(matching)
    databases[0].documents("notices").count(where("block").one_of(["k1", "k2"]))
    for sql, parameters in asked:
        plan = "\n".join(line for (line,) in rows(f"EXPLAIN {sql}", parameters))
        assert "Seq Scan" not in plan, sql + plan


# Connections


def test_a_restart_of_the_server_is_not_noticed_by_who_asks_next(postgres: Server, tenant: Open) -> None:
    one = tenant("one")
    change(one, "blocks", "a", 1)
    looks: list[Callable[[], object]] = [
        lambda: one.documents("blocks").find("a"),
        lambda: next(one.documents("blocks").walk()),
        lambda: change(one, "blocks", "b", 1),
    ]
    for look in looks:
        postgres.stop()
        postgres.start()
        look()
    assert len(one.documents("blocks")) == 2


def test_a_change_during_which_the_server_goes_away_is_stored_whole_or_not_at_all(
    postgres: Server, tenant: Open
) -> None:
    one = tenant("one")

    def write() -> None:
        with one.together():
            one.documents("blocks").put({"a": {}})
            postgres.stop()
            postgres.start()
            one.documents("blocks").put({"b": {}})

    with pytest.raises(StorageError, match="check that it runs"):
        write()
    assert len(one.documents("blocks")) == 0


def test_a_server_that_is_away_is_an_error_that_says_so(postgres: Server) -> None:
    with closing(Pool(postgres.url(), patience=0.2)) as pool:
        one = opened(pool, "one")
        postgres.stop()
        try:
            with pytest.raises(StorageError, match="does not answer; check that it runs"):
                one.documents("blocks").find("a")
            with pytest.raises(StorageError, match="does not answer; check that it runs"):
                open_pool(postgres.url())
        finally:
            postgres.start()


def test_a_walk_during_which_the_server_goes_away_ends_with_an_error_and_not_early(
    postgres: Server, tenant: Open
) -> None:
    blocks = tenant("one").documents("blocks")
    blocks.put({f"k{number:05}": {"note": "x" * 1000} for number in range(20_000)})
    walk, left = blocks.walk(), blocks.walk()
    next(walk)
    next(left)
    postgres.stop()
    postgres.start()
    left.close()  # type: ignore[attr-defined]
    with pytest.raises(StorageError, match="check that it runs"):
        list(walk)
    assert blocks.find("k00001") is not None


def test_a_walk_that_is_left_gives_its_connection_back(postgres: Server) -> None:
    with closing(Pool(postgres.url(), connections=1, patience=0.2)) as pool:
        blocks = opened(pool, "walked").documents("blocks")
        blocks.put({f"k{number:04}": {"note": "x" * 500} for number in range(5000)})
        for _ in range(3):
            walk = blocks.walk()
            next(walk)
            with pytest.raises(StorageError):
                blocks.find("k0001")
            walk.close()  # type: ignore[attr-defined]
            assert blocks.find("k0001") is not None
        assert sum(1 for _ in blocks.walk()) == 5000


def test_a_statement_that_fails_undoes_its_transaction_and_not_without_a_word(tenant: Open) -> None:
    one = tenant("one")

    def write(key: str) -> None:
        with one.together():
            one.documents("blocks").put({key: {}})
            with suppress(DamagedFileError):
                one.engine.rows("SELECT 1 / 0")

    with pytest.raises(StorageError, match="A change failed"):
        write("a")
    with one.together():
        one.documents("blocks").put({"b": {}})
        with suppress(StorageError):
            write("c")
    assert [str(it.doc_id) for it in one.documents("blocks")] == ["b"]


# Tables


def test_tables_are_made_once_and_a_database_without_them_is_refused(postgres: Server) -> None:
    with empty(postgres, "fresh") as url:
        with pytest.raises(StorageError, match="buyerblock host migrate"):
            open_pool(url)
        done = migrate(url)
        assert done[:3] == [f"buyerblock {VERSION}", "buyerblock host 1", "procrastinate"]
        assert migrate(url) == []
        open_pool(url).close()


def test_a_new_migration_of_the_queue_is_done_and_recorded(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with empty(postgres, "older") as url:
        migrate(url)
        with psycopg.connect(url) as connection:
            (newest,) = connection.execute(
                "DELETE FROM migrations WHERE name = (SELECT max(name) FROM migrations WHERE name LIKE '0%')"
                " RETURNING name"
            ).fetchone() or ("",)
        monkeypatch.setattr(
            "worker.database.postgres_schema._procrastinate_sql", lambda name: f"SELECT '{name}'"
        )
        assert migrate(url) == [newest]
        assert migrate(url) == []


def test_tables_of_a_newer_version_are_refused(postgres: Server) -> None:
    with empty(postgres, "newer") as url:
        migrate(url)
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO migrations (name) VALUES ('buyerblock 999')")
        with pytest.raises(StorageError, match="newer version"):
            open_pool(url)


def test_a_database_that_keeps_no_unicode_is_refused(postgres: Server) -> None:
    with (
        empty(postgres, "ascii", more="ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0") as url,
        pytest.raises(StorageError, match="UTF-8"),
    ):
        migrate(url)


@pytest.mark.parametrize("url", ["nonsense of password=secret", "postgresql://me:secret@host:port/x"])
def test_an_address_that_is_none_is_not_repeated_with_its_password(url: str) -> None:
    with pytest.raises(StorageError, match="BUYERBLOCK_DATABASE_URL") as caught:
        open_pool(url)
    assert "secret" not in str(caught.value)


# Copies, and what is wrong


def test_a_copy_is_a_file_of_one_seller_and_replaces_none(tenant: Open, tmp_path: Path) -> None:
    one, other = tenant("one"), tenant("other")
    change(one, "blocks", "a", 1)
    change(other, "blocks", "b", 1)
    one.backup(tmp_path / "copy.db")
    with closing(SQLite(tmp_path / "copy.db")) as engine:
        copy = Database(engine)
        assert copy.tables() == {"blocks"}
        assert [str(it.doc_id) for it in copy.documents("blocks")] == ["a"]
        assert (list(copy.events()), copy.version()) == (list(one.events()), one.version())
    before = (tmp_path / "copy.db").read_bytes()
    with pytest.raises(StorageError, match="File exists"):
        other.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == before


def test_a_seller_moves_in_with_everything_but_sessions_and_out_again(
    tenant: Open, tmp_path: Path, database: Database
) -> None:
    for number in range(3):
        change(database, "blocks", f"k{number}", number)
    database.documents("sessions").put({"s": {}})
    database.documents("tokens").put({"t": {"name": "tool"}})
    events, version = list(database.events()), database.version()
    one, other = tenant("one"), tenant("other")
    for it in (one, other):
        change(it, "blocks", "former", 1)
    one.engine.take_over(tmp_path / "buyerblock.db")  # type: ignore[attr-defined]
    assert one.tables() == {"blocks", "tokens"}
    assert [str(it.doc_id) for it in one.documents("blocks")] == ["k0", "k1", "k2"]
    assert list(one.events()) == events
    assert one.version() not in (version, other.version())
    change(one, "blocks", "k3", 3)
    assert one.engine.newest() == 4
    one.engine.check()
    assert other.documents("blocks").contains(doc_id="former")  # type: ignore[arg-type]
    one.backup(tmp_path / "out.db")
    with closing(SQLite(tmp_path / "out.db")) as engine:
        assert Database(engine).documents("blocks").all() == one.documents("blocks").all()


def test_a_copy_in_the_middle_of_a_change_leaves_the_change_whole(tenant: Open, tmp_path: Path) -> None:
    one = tenant("one")
    with one.together():
        one.documents("blocks").put({"a": {}})
        one.backup(tmp_path / "copy.db")
        one.documents("blocks").put({"b": {}})
    assert len(one.documents("blocks")) == 2


def test_events_that_are_missing_are_damage(tenant: Open) -> None:
    one = tenant("one")
    for number in range(3):
        change(one, "blocks", "a", number)
    one.engine.check()
    one.engine.rows("DELETE FROM events WHERE tenant_id = ? AND sequence = 2", (one.engine._tenant,))  # type: ignore[attr-defined]
    with pytest.raises(DamagedFileError, match="events are missing"):
        one.engine.check()


def test_numbers_and_texts_of_one_field_sort_as_in_sqlite(tenant: Open, tmp_path: Path) -> None:
    values: list[Any] = [
        None,
        True,
        -1,
        2,
        10,
        1e300,
        -(2**63),
        2**53 + 1,
        0.5,
        "",
        "10",
        "Z",
        "a",
        "é",
        [1],
        {"a": 1},
    ]
    documents = {f"k{number}": {"note": value} for number, value in enumerate(values)}
    one = tenant("one")
    one.documents("blocks").put(documents)
    one.backup(tmp_path / "copy.db")
    with closing(SQLite(tmp_path / "copy.db")) as engine:
        orders = [it.documents("blocks").sorted_keys("note") for it in (one, Database(engine))]
        assert orders[0] == orders[1]
    blocks = one.documents("blocks")
    for number, key in enumerate(orders[0]):
        value = documents[key]["note"]
        if not isinstance(value, list | dict):
            behind = [str(it.doc_id) for it in blocks.page("note", limit=99, after=(value, key))]
            assert behind == orders[0][number + 1 :]
