"""The list by an address with a token in it, and the settings of copies."""

import gzip
import logging
from pathlib import Path

import pytest
from browsing import post
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient

from oauth_web.api.guard import MAX_PER_MINUTE
from oauth_web.services import Services
from worker.app import App
from worker.operation.logs import Lines
from worker.publish import Copies

BUYER = "buyer00001@marketplace.amazon.de"


@pytest.fixture
def secret(services: Services, clock: FakeClock, engine: App) -> str:
    """A token for downloads, and two buyers on the list."""
    engine.block_list.block(["buyer00000@marketplace.amazon.it"], by="test")
    engine.block_list.block([BUYER], note="by phone", by="test")
    return services.tokens.create("sheet", "download", now=clock.now())


def test_the_address_gives_the_list_to_whoever_has_it(
    stranger: FlaskClient, secret: str, engine: App
) -> None:
    answer = stranger.get(f"/blocks.csv?token={secret}")
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
    assert answer.data == b"".join(engine.block_list.export("csv"))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    assert stranger.get(f"/blocks.xlsx?token={secret}").data.startswith(b"PK")
    packed = stranger.get(f"/blocks.csv?token={secret}", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.data) == answer.data


def test_the_address_takes_the_filters_of_exports_and_refuses_misspelt_ones(
    stranger: FlaskClient, secret: str
) -> None:
    for asked in ("marketplace=amazon.de", "q=phone", "reason=manual&q=BUYER00001"):
        assert stranger.get(f"/blocks.txt?token={secret}&{asked}").text == f"{BUYER}\n"
    assert stranger.get(f"/blocks.txt?token={secret}&account=shop@gmail.com").text == ""
    for asked in ("market=amazon.de", "since=soon", "reason=fun"):
        answer = stranger.get(f"/blocks.txt?token={secret}&{asked}")
        assert (answer.status_code, answer.text.count("\n"), answer.mimetype) == (400, 1, "text/plain")


def test_an_unchanged_list_is_not_sent_again(stranger: FlaskClient, secret: str, engine: App) -> None:
    tag = stranger.get(f"/blocks.csv?token={secret}").headers["ETag"]
    again = stranger.get(f"/blocks.csv?token={secret}", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", "no-store")
    engine.block_list.unblock(BUYER, by="test")
    assert stranger.get(f"/blocks.csv?token={secret}", headers={"If-None-Match": tag}).status_code == 200


def test_the_token_is_good_for_nothing_else(
    stranger: FlaskClient, secret: str, services: Services, clock: FakeClock
) -> None:
    shown = {"Authorization": f"Bearer {secret}"}
    for path in ("/api/v1/blocks", "/api/v1/export", "/api/v1/openapi.json"):
        answer = stranger.get(path, headers=shown)
        assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
        assert stranger.get(f"{path}?token={secret}").status_code == 401
    assert stranger.post("/api/v1/blocks/check", json={"keys": [BUYER]}, headers=shown).status_code == 403
    assert stranger.get("/metrics", headers=shown).status_code == 401
    assert stranger.get(f"/blocks?token={secret}").status_code == 401
    assert stranger.get("/blocks.csv", headers=shown).status_code == 401
    for scope in ("read", "write"):
        other = services.tokens.create(scope, scope, now=clock.now())
        assert stranger.get(f"/blocks.csv?token={other}").status_code == 401


def test_a_wrong_or_revoked_token_gets_one_line(
    stranger: FlaskClient, secret: str, services: Services
) -> None:
    services.tokens.revoke("sheet")
    for path in (f"/blocks.csv?token={secret}", "/blocks.csv?token=", "/blocks.csv", "/blocks.json"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.mimetype, answer.text.count("\n")) == (401, "text/plain", 1), path
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_format_that_there_is_not_is_not_found(stranger: FlaskClient, secret: str) -> None:
    answer = stranger.get(f"/blocks.xls?token={secret}")
    assert (answer.status_code, "xlsx" in answer.text, answer.text.count("\n")) == (404, True, 1)


def test_who_asks_too_often_or_guesses_has_to_wait(stranger: FlaskClient, web: Flask, secret: str) -> None:
    for _ in range(MAX_PER_MINUTE):
        stranger.head(f"/blocks.orders?token={secret}")
    answer = stranger.get(f"/blocks.orders?token={secret}")
    assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (429, True)
    guesses = [web.test_client().get("/blocks.csv?token=guess").status_code for _ in range(40)]
    assert guesses[0] == 401
    assert guesses[-1] == 429


def test_no_log_holds_the_token(
    stranger: FlaskClient, secret: str, engine: App, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("unexpected")

    stranger.get(f"/blocks.csv?token={secret}")
    monkeypatch.setattr(type(engine.block_list), "export", fail)
    assert stranger.get(f"/blocks.csv?token={secret}").status_code == 500
    logged = "\n".join(Lines().format(record) for record in caplog.records) + caplog.text
    assert "unexpected" in logged
    assert secret not in logged


# --- settings


def test_the_page_adds_a_copy_in_its_own_folder_shows_it_and_removes_it(
    owner: FlaskClient, secret: str, engine: App
) -> None:
    assert secret
    fields = {"name": "my list", "format": "csv", "marketplace": "amazon.de", "q": "phone"}
    assert post(owner, "/settings/copies", **fields).status_code == 303
    path = engine.settings.data_dir / "copies" / "my list.csv"
    assert BUYER in path.read_text(encoding="utf-8")
    page = owner.get("/settings/copies").text
    assert str(path) in page
    assert "Written just now" in page
    assert "1 buyer." in page
    assert "Marketplace: amazon.de" in page
    assert post(owner, "/settings/copies/remove", copy=str(path)).status_code == 303
    assert Copies(engine.database).all() == []
    assert post(owner, "/settings/copies/remove", copy=str(path)).status_code == 400


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("name", {"name": "../../etc/list.csv"}),
        ("name", {"name": "/tmp/list.csv"}),
        ("name", {"name": " "}),
        ("name", {"name": "taken.csv"}),
        ("since", {"name": "list.csv", "since": "soon"}),
    ],
)
def test_a_copy_that_cannot_be_added_is_shown_again_with_a_sentence(
    owner: FlaskClient, engine: App, field: str, fields: dict[str, str]
) -> None:
    post(owner, "/settings/copies", name="taken.csv", format="csv")
    answer = post(owner, "/settings/copies", **({"format": "csv"} | fields))
    assert answer.status_code == 400
    assert 'id="fault"' in answer.text.split(f'name="{field}"')[1][:400]
    assert [Path(it.path).name for it in Copies(engine.database).all()] == ["taken.csv"]


def test_an_address_is_shown_once_and_works_until_it_is_revoked(
    owner: FlaskClient, stranger: FlaskClient, services: Services, secret: str
) -> None:
    assert secret
    made = post(owner, "/settings/copies/address", address_name="orders sheet", format="csv")
    address = made.text.split('<code id="secret">')[1].split("<")[0]
    assert address.startswith("http://localhost:8000/blocks.csv?token=buyerblock_")
    assert made.headers["Cache-Control"] == "no-store"
    assert BUYER in stranger.get(address.partition(":8000")[2]).text
    page = owner.get("/settings/copies").text
    assert "orders sheet" in page
    assert address.rpartition("=")[2] not in page
    assert "orders sheet" not in owner.get("/settings/tokens").text
    assert post(owner, "/settings/copies/revoke", name="orders sheet").status_code == 303
    assert stranger.get(address.partition(":8000")[2]).status_code == 401
    services.tokens.create("mailer", "write", now=services.app.clock.now())
    assert post(owner, "/settings/copies/revoke", name="mailer").status_code == 400
    assert post(owner, "/settings/copies/address", address_name="", format="csv").status_code == 400
