"""Who may use the API, and what everybody else is told."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from browsing import csrf_token
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import OWNER
from programs import Program
from werkzeug.test import TestResponse

from oauth_web.services import Services
from worker.app import App
from worker.block_list.block_list import BlockList
from worker.database import DATABASE
from worker.owner.tokens import Scope, Tokens

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
CALLS = [
    ("GET", "/blocks"),
    ("GET", f"/blocks/{ALIAS}"),
    ("POST", "/blocks/check"),
    ("POST", "/blocks"),
    ("DELETE", f"/blocks/{ALIAS}"),
    ("GET", "/export"),
    ("GET", "/openapi.json"),
    ("GET", "/nothing"),
    ("PUT", "/blocks"),
    ("OPTIONS", "/blocks"),
    ("HEAD", "/export"),
]


def problem(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the sentence of a problem document."""
    assert answer.content_type == "application/problem+json"
    document = answer.json
    assert document is not None
    assert set(document) == {"type", "title", "status", "detail"}
    assert document["status"] == answer.status_code
    return answer.status_code, document["detail"]


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer buyerblock_wrong", "Basic YTpi", "Bearer \xe9", "nonsense"]
)
def test_strangers_get_nothing(
    web: Flask, block_list: BlockList, method: str, path: str, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = web.test_client().open(
        f"/api/v1{path}", method=method, headers=headers, json={"keys": [ALIAS]} if method == "POST" else None
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="buyerblock"')
    assert "Set-Cookie" not in answer.headers
    assert len(block_list) == 0
    if method != "HEAD":
        problem(answer)


def test_a_token_that_only_reads_changes_nothing(
    reader: Program, block_list: BlockList, blocked: str
) -> None:
    for answer in (reader.post("/blocks", {"keys": [ALIAS]}), reader.delete(f"/blocks/{blocked}")):
        status, detail = problem(answer)
        assert (status, "may only read" in detail) == (403, True)
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert [block.address for block in block_list.blocks()] == [blocked]


def test_a_token_that_only_reads_may_ask(reader: Program) -> None:
    assert reader.post("/blocks/check", {"keys": [ALIAS]}).status_code == 200


def test_a_revoked_token_is_refused_at_once(reader: Program, tokens: Tokens) -> None:
    assert reader.get("/blocks").status_code == 200
    tokens.revoke("tool that may read")
    assert problem(reader.get("/blocks"))[0] == 401


def test_a_token_opens_no_page(reader: Program) -> None:
    answer = reader.client.get("/blocks", headers={"Authorization": f"Bearer {reader.token}"})
    assert answer.status_code == 401


def test_a_signed_in_owner_may_read(owner: FlaskClient, blocked: str) -> None:
    assert owner.get(f"/api/v1/blocks/{blocked}").status_code == 200


@pytest.mark.parametrize("token", [None, "", "raw", "x" * 91])
def test_a_session_changes_nothing_without_the_pages_token(
    owner: FlaskClient, block_list: BlockList, blocked: str, token: str | None
) -> None:
    headers = {"X-CSRFToken": token} if token is not None else {}
    block = owner.post("/api/v1/blocks", json={"keys": [ALIAS]}, headers=headers)
    unblock = owner.delete(f"/api/v1/blocks/{blocked}", headers=headers)
    form = owner.post("/api/v1/blocks", data={"keys": ALIAS, "csrf_token": token or ""})
    assert [problem(answer)[0] for answer in (block, unblock, form)] == [400] * 3
    assert [it.address for it in block_list.blocks()] == [blocked]


def test_a_session_with_the_pages_token_may_change_the_list(
    owner: FlaskClient, block_list: BlockList, engine: App
) -> None:
    headers = {"X-CSRFToken": csrf_token(owner)}
    assert owner.post("/api/v1/blocks", json={"keys": [ALIAS]}, headers=headers).status_code == 200
    assert len(block_list) == 1
    assert [it.by for it in engine.database.events()] == [f"{OWNER}, by the API"]


def test_a_wrong_token_does_not_fall_back_on_the_session(owner: FlaskClient) -> None:
    answer = owner.get("/api/v1/blocks", headers={"Authorization": "Bearer buyerblock_wrong"})
    assert problem(answer)[0] == 401


def test_who_is_no_owner_any_more_is_out_at_once(services: Services, owner: FlaskClient, engine: App) -> None:
    engine.database.documents("owners").delete([OWNER])
    engine.database.documents("owners").put({"other@gmail.com": {}})
    assert services.owners.emails() == {"other@gmail.com"}
    assert problem(owner.get("/api/v1/blocks"))[0] == 401


def test_another_name_of_the_host_gets_nothing_even_with_a_token(reader: Program, blocked: str) -> None:
    answer = reader.get("/blocks", headers={"Host": "rebound.example"})
    assert problem(answer)[0] == 400
    assert blocked not in answer.text


def test_too_many_requests_with_one_token_have_to_wait(
    program: Callable[[Scope], Program], clock: FakeClock
) -> None:
    busy, calm = program("read"), program("write")
    assert {busy.get("/openapi.json").status_code for _ in range(600)} == {200}
    refused = busy.get("/openapi.json")
    assert problem(refused)[0] == 429
    assert refused.headers["Retry-After"] == "1"
    assert calm.get("/openapi.json").status_code == 200
    clock.advance(0.1)
    assert busy.get("/openapi.json").status_code == 200
    assert busy.get("/openapi.json").status_code == 429
    clock.advance(60)
    assert busy.get("/openapi.json").status_code == 200


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/blocks", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/blocks/check", {"POST", "OPTIONS"}),
        (f"/blocks/{ALIAS}", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("/blocks/checked", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("/export", {"GET", "HEAD", "OPTIONS"}),
        ("/openapi.json", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_the_methods_that_are_named_are_those_that_are_there(
    writer: Program, path: str, methods: set[str]
) -> None:
    assert set(writer.call("OPTIONS", path).allow) == methods
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - methods:
        refused = writer.call(method, path)
        assert (refused.status_code, set(refused.allow)) == (405, methods), method


def test_every_error_is_a_problem_document(writer: Program) -> None:
    assert problem(writer.get("/nothing")) == (
        404,
        "There is nothing at this address; /api/v1/openapi.json lists what there is.",
    )
    for path in ("/api", "/api/", "/api/v2/blocks", "/api/v1//blocks", "/api/v1/blocks/"):
        answer = writer.client.get(path, headers={"Authorization": f"Bearer {writer.token}"})
        assert problem(answer)[0] == 404, path
    for method in ("PUT", "PATCH", "DELETE"):
        refused = writer.call(method, "/blocks")
        assert problem(refused)[0] == 405
        assert {"GET", "POST"} <= set(refused.headers["Allow"].split(", "))
    assert problem(writer.call("POST", "/blocks", data="keys=x", content_type="text/plain"))[0] == 415
    assert problem(writer.call("POST", "/blocks"))[0] == 415
    large = b'{"keys": ["' + b"x" * 1_000_000 + b'"]}'
    assert problem(writer.call("POST", "/blocks", data=large, content_type="application/json"))[0] == 413
    assert problem(writer.get("/export?format=nothing"))[0] == 400
    assert problem(writer.get("/openapi.json?pretty=1")) == (400, "There is no parameter 'pretty' here.")


def test_a_thousand_keys_of_the_longest_kind_are_not_too_large(reader: Program) -> None:
    keys = [" " * 200 + f"406-{number:07}-0000000" for number in range(1000)]
    assert reader.post("/blocks/check", {"keys": keys}).status_code == 200


def test_a_list_that_cannot_be_read_is_503_and_shows_no_path(reader: Program, engine: App) -> None:
    reader.post("/blocks/check", {"keys": [ALIAS]})
    with closing(sqlite3.connect(engine.settings.data_dir / DATABASE)) as file:
        file.execute("UPDATE tokens SET document = '{'")
        file.commit()
    status, detail = problem(reader.get("/blocks"))
    assert status == 503
    assert str(engine.settings.data_dir) not in detail


def test_a_token_whose_record_is_damaged_is_none(reader: Program, engine: App) -> None:
    engine.database.documents("tokens").update({"created_at": None})
    assert reader.get("/blocks").status_code == 401


def test_an_unexpected_error_is_500_and_tells_nothing(
    reader: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(BlockList, "get", fail)
    status, detail = problem(reader.get(f"/blocks/{ALIAS}"))
    assert status == 500
    assert "secret" not in detail
