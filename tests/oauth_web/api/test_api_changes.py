"""What a program changes through the API."""

import orjson
import pytest
from programs import Program

from worker.app import App
from worker.block_list.block_list import BlockList

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
ORDER = "406-1234508-7654301"


def test_blocking_gives_a_result_for_each_key(writer: Program, block_list: BlockList) -> None:
    block_list.block([ORDER], by="test")
    answer = writer.post("/blocks", {"keys": [ALIAS, ORDER, "nobody"], "note": "asked by  phone\n"})
    assert answer.status_code == 200
    results = answer.json["results"]  # type: ignore[index]
    assert [(result["key"], result["status"]) for result in results] == [
        (ALIAS, "blocked"),
        (ORDER, "known"),
        ("nobody", "rejected"),
    ]
    assert [bool(result["problem"]) for result in results] == [False, False, True]
    block = block_list.get(ALIAS)
    assert block is not None
    assert (block.reason, block.note) == ("manual", "asked by phone")


def test_blocking_again_is_no_error_and_changes_nothing(writer: Program, block_list: BlockList) -> None:
    writer.post("/blocks", {"keys": [ALIAS]})
    before = block_list.version
    assert writer.post("/blocks", {"keys": [ALIAS]}).json["results"][0]["status"] == "known"  # type: ignore[index]
    assert block_list.version == before


def test_unblocking_is_remembered(writer: Program, block_list: BlockList, blocked: str) -> None:
    answer = writer.delete(f"/blocks/{blocked}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert block_list.get(blocked) is None
    assert block_list.version.endswith("-2")
    assert writer.delete(f"/blocks/{blocked}").status_code == 404


def test_an_order_unblocks_the_buyer_who_placed_it(
    writer: Program, block_list: BlockList, blocked: str
) -> None:
    assert writer.delete("/blocks/406-1234567-7654321").status_code == 204
    assert block_list.get(blocked) is None


def test_unblocking_what_is_no_key_finds_nothing(writer: Program) -> None:
    answer = writer.delete("/blocks/nobody")
    assert answer.status_code == 404
    assert "'nobody' is not a key" in answer.text


def test_the_audit_trail_names_the_token(writer: Program, engine: App) -> None:
    writer.post("/blocks", {"keys": [ALIAS]})
    writer.delete(f"/blocks/{ALIAS}")
    assert [(event.what, event.by) for event in engine.database.events()] == [
        ("block", "token 'tool that may write', by the API"),
        ("unblock", "token 'tool that may write', by the API"),
    ]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "keys"),
        ({"keys": ALIAS}, "list of texts"),
        ({"keys": [1]}, "list of texts"),
        ({"keys": [ALIAS] * 1001}, "At most 1,000 keys"),
        ({"keys": [ALIAS], "note": 1}, "note"),
        ({"keys": [ALIAS], "note": "x" * 1001}, "1,000 characters"),
        ({"keys": [ALIAS], "nota": ""}, "nota"),
        ([ALIAS], "JSON object"),
        (None, "JSON object"),
    ],
)
def test_a_body_that_makes_no_sense_blocks_nobody(
    writer: Program, block_list: BlockList, body: object, word: str
) -> None:
    answer = writer.call("POST", "/blocks", data=orjson.dumps(body), content_type="application/json")
    assert answer.status_code == 400
    assert word in answer.json["detail"]  # type: ignore[index]
    assert len(block_list) == 0


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"keys": ["\\ud800"]}', b"\xff", b"[" * 10_000, b'{"keys": NaN}', b'{"a": 1}x']
)
def test_a_body_that_is_not_json_is_refused_in_a_sentence(writer: Program, body: bytes) -> None:
    answer = writer.call("POST", "/blocks", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert "not valid JSON" in answer.json["detail"]  # type: ignore[index]
