"""Valid JSON of another shape, in every table: one record is set aside and reported, all others work."""

from contextlib import closing
from pathlib import Path
from typing import Any

import every_table
import orjson
import pytest
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import OWNER
from sellers import EXPECTED, Seller

from oauth_web.services import Services
from worker.app import App
from worker.block_list.block_list import BlockList
from worker.database import Database, open_database
from worker.database.schema import TABLES
from worker.database.shape import MAX_TEXT
from worker.operation.health import health
from worker.sealing import Sealer

SHOWN_ON = {
    "blocks": "/blocks",
    "notices": "/did-not-arrive",
    "review": "/review",
    "imports": "/import",
    "tokens": "/settings/tokens",
    "webhook": "/settings/webhook",
    "preferences": "/settings/general",
}


def ruined(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return this document with no field, and with each field missing, of another type, and too long."""
    without = [{name: it for name, it in document.items() if name != left_out} for left_out in document]
    kinds: tuple[Any, ...] = ([7], "x" * (MAX_TEXT + 1))
    other = [document | {name: wrong} for name in document for wrong in kinds]
    return [{}, *without, *other]


def store(database: Database, table: str, key: str, document: object) -> None:
    """Put a document in place of another one, as it is."""
    with database.together():
        database.engine.put(table, {key: orjson.dumps(document).decode()})


@pytest.fixture
def filled(engine: App) -> App:
    """A program with something in every table."""
    every_table.fill(engine.database, engine.sealer)
    engine.database.documents("owners").put({OWNER: {}})
    return engine


@pytest.fixture
def pages(web: Flask) -> list[str]:
    return [
        *(it.rule for it in web.url_map.iter_rules() if "GET" in (it.methods or ()) and not it.arguments),
        *(f"/block?key={key}" for key in (every_table.NOTICED, every_table.ORDER)),
        *("/blocks?q=buyer", "/blocks?sort=notices", "/did-not-arrive?format=csv"),
        *("/api/v1/blocks", "/api/v1/export?format=csv", "/api/v1/export?format=json"),
    ]


def ask_everything(client: FlaskClient, app: App, pages: list[str]) -> None:
    app.accounts.all()
    for path in pages:
        with client.get(path) as answer:
            assert answer.status_code < 500 or path == "/readyz", path
            assert answer.data is not None
    checked = app.block_list.check([every_table.NOTICED, every_table.BY_HAND, every_table.ORDER_ALONE])
    assert all(it.blocked for it in checked), "a key that is there is blocked"


@pytest.mark.parametrize("table", [name for name in TABLES if name != "sessions"])
def test_a_record_of_another_kind_stops_nothing(
    filled: App, owner: FlaskClient, pages: list[str], table: str
) -> None:
    for it in list(filled.database.documents(table).walk()):
        store(filled.database, table, str(it.doc_id), [])
    ask_everything(owner, filled, pages)


@pytest.mark.parametrize("table", [name for name in TABLES if name not in ("sessions", "owners")])
def test_a_record_with_one_wrong_field_stops_nothing(filled: App, owner: FlaskClient, table: str) -> None:
    first = next(iter(filled.database.documents(table).walk()))
    few = ["/", SHOWN_ON.get(table, "/settings")]
    for document in ruined(dict(first)):
        store(filled.database, table, str(first.doc_id), document)
        ask_everything(owner, filled, few)


def test_what_is_left_out_is_reported_and_stays_as_it_is(
    filled: App, owner: FlaskClient, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    item = next(iter(filled.database.documents("review").walk()))
    store(filled.database, "review", "bad", dict(item) | {"received_at": 5})
    for _ in range(2):
        assert every_table.SUSPECT.subject in owner.get("/review").text
    (problem,) = [it for it in health(filled, clock.now()).problems if it.kind == "left_out"]
    assert "1 of the table review" in problem.sentence
    assert problem.sentence.replace("“", "&#34;") in owner.get("/").text
    assert caplog.text.count("A record of review") == 1
    assert filled.database.engine.rows("SELECT count(*) FROM review WHERE key = 'bad'") == [(1,)]
    store(filled.database, "review", "bad", item)
    owner.get("/review")
    assert filled.database.set_aside() == {}


def test_an_account_that_is_left_out_makes_it_unready(filled: App, owner: FlaskClient) -> None:
    store(filled.database, "accounts", every_table.EMAIL, [])
    answer = owner.get("/readyz")
    assert answer.status_code == 503
    assert "1 of the table accounts" in answer.get_json()["reasons"][0]


def test_an_owner_whose_record_is_wrong_still_owns_the_page(
    engine: App, web: Flask, owner: FlaskClient, services: Services
) -> None:
    store(engine.database, "owners", OWNER, [])
    assert owner.get("/blocks").status_code == 200
    assert services.owners.emails() == {OWNER}
    assert web.test_client().get("/blocks").status_code == 401


def test_a_buyer_whose_record_is_wrong_stays_blocked_and_can_be_unblocked(tmp_path: Path) -> None:
    with closing(open_database(tmp_path)) as database:
        blocks = BlockList(database)
        blocks.block([every_table.NOTICED], by="test")
        store(database, "blocks", every_table.NOTICED, [])
        assert blocks.check([every_table.NOTICED])[0].blocked
        assert every_table.NOTICED.encode() in b"".join(blocks.export("txt"))
        assert [it.key for it in blocks.blocks()] == [every_table.NOTICED]
        assert blocks.unblock(every_table.NOTICED, by="test")
        assert not blocks.check([every_table.NOTICED])[0].blocked


@pytest.mark.parametrize("table", [name for name in TABLES if name != "accounts"])
def test_a_pass_goes_on_beside_wrong_records(seller: Seller, table: str) -> None:
    names = ("opt_out/it_specimen_shape.eml", "opt_out/en_com.eml", "opt_out/fr_no_brackets.eml")
    every_table.fill(seller.database, Sealer("k" * 32))
    kinds: tuple[Any, ...] = (None, [], {})
    for name, wrong in zip(names, kinds, strict=True):
        for it in list(seller.database.documents(table).walk()) if wrong is not None else ():
            store(seller.database, table, str(it.doc_id), wrong)
        seller.receive(name)
        seller.later(hours=2)
        seller.run_pass()
    assert {EXPECTED[name]["address"] or EXPECTED[name]["order_id"] for name in names} <= seller.blocked()
