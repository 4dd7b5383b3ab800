"""What a program learns from the API about the block list."""

import gzip
from contextlib import closing
from datetime import timedelta
from itertools import chain
from typing import Any

import orjson
import pytest
from clocks import FakeClock
from programs import Program

from worker.app import App
from worker.block_list.block_list import BlockList
from worker.block_list.formats.exports import FORMATS
from worker.block_list.model import Sighting
from worker.database import open_database

ORDER = "406-1234567-7654321"
UNKNOWN = "406-1111111-1111111"
EVERYTHING = ["unsolicited", "reply", "critical"]


def fill(block_list: BlockList, clock: FakeClock, count: int) -> None:
    """Block buyers; several share a first_seen, since notices come in batches."""
    block_list.record(
        [
            Sighting(
                account=f"shop{number % 2}@gmail.com",
                message_id=f"{number}@eu-west-1.amazonses.com",
                received_at=clock.now() - timedelta(days=30 - number // 4),
                address=f"buyer{number:05}@marketplace.amazon.it",
            )
            for number in range(count)
        ]
    )


def walk(reader: Program, query: str = "") -> list[list[str]]:
    """Return the addresses on each page."""
    pages, cursor = [], ""
    while True:
        answer = reader.get(f"/blocks?limit=4{query}{cursor}").json
        assert answer is not None
        pages.append([block["address"] for block in answer["blocks"]])
        if answer["next_cursor"] is None:
            return pages
        cursor = f"&cursor={answer['next_cursor']}"


def test_a_check_answers_in_the_order_asked(reader: Program, blocked: str) -> None:
    answer = reader.post("/blocks/check", {"keys": [UNKNOWN, f"<{blocked.upper()}>", ORDER]})
    assert answer.status_code == 200
    assert answer.json == {
        "results": [
            {"key": UNKNOWN, "blocked": False, "reason": None, "still_allowed": EVERYTHING},
            {
                "key": f"<{blocked.upper()}>",
                "blocked": True,
                "reason": "opted_out",
                "still_allowed": ["reply", "critical"],
            },
            {"key": ORDER, "blocked": True, "reason": "opted_out", "still_allowed": ["reply", "critical"]},
        ]
    }


@pytest.mark.parametrize(("kind", "allowed"), [("unsolicited", False), ("reply", True), ("critical", True)])
def test_a_check_says_which_kind_of_message_may_be_sent(
    reader: Program, blocked: str, kind: str, allowed: bool
) -> None:
    answer = reader.post("/blocks/check", {"keys": [blocked, UNKNOWN], "kind": kind}).json
    assert answer is not None
    assert [result["allowed"] for result in answer["results"]] == [allowed, True]


def test_what_is_no_key_is_neither_blocked_nor_allowed_and_spoils_nothing(
    reader: Program, blocked: str
) -> None:
    answer = reader.post(
        "/blocks/check", {"keys": ["nobody", blocked, "", "nobody"], "kind": "unsolicited"}
    ).json
    assert answer is not None
    first, second, third, fourth = answer["results"]
    assert (first["blocked"], first["allowed"], first["still_allowed"]) == (None, None, [])
    assert "'nobody' is not a key" in first["problem"]
    assert second["blocked"] is True
    assert third["key"] == ""
    assert fourth == first


def test_a_thousand_keys_fit_into_one_check_and_no_more(reader: Program) -> None:
    keys = [f"406-{number:07}-0000000" for number in range(1001)]
    answer = reader.post("/blocks/check", {"keys": keys[:1000]})
    assert [result["key"] for result in answer.json["results"]] == keys[:1000]  # type: ignore[index]
    refused = reader.post("/blocks/check", {"keys": keys})
    assert refused.status_code == 400
    assert "At most 1,000 keys" in refused.text


def test_no_keys_get_no_results(reader: Program) -> None:
    assert reader.post("/blocks/check", {"keys": []}).json == {"results": []}


def test_one_block_is_found_by_any_spelling_of_its_keys(reader: Program, blocked: str) -> None:
    expected = {
        "address": blocked,
        "orders": [ORDER],
        "marketplace": "amazon.it",
        "reason": "opted_out",
        "accounts": ["seller@gmail.com"],
        "first_seen": "2026-11-22T10:00:00Z",
        "last_seen": "2026-11-22T10:00:00Z",
        "notices": 1,
        "note": "",
    }
    for key in (blocked, blocked.upper(), f"%3C{blocked}%3E", ORDER):
        assert reader.get(f"/blocks/{key}").json == expected
    assert reader.get(f"/blocks/{UNKNOWN}").status_code == 404
    assert reader.get("/blocks/check").status_code == 405


def test_pages_hold_every_block_once_in_order(
    reader: Program, block_list: BlockList, clock: FakeClock
) -> None:
    fill(block_list, clock, 10)
    expected = [block.address for block in block_list.blocks()]
    pages = walk(reader)
    assert [len(page) for page in pages] == [4, 4, 2]
    assert list(chain(*pages)) == expected


def test_a_full_last_page_has_no_page_after_it(
    reader: Program, block_list: BlockList, clock: FakeClock
) -> None:
    fill(block_list, clock, 8)
    assert [len(page) for page in walk(reader)] == [4, 4]


def test_a_walk_survives_changes_of_the_list(
    reader: Program, block_list: BlockList, clock: FakeClock
) -> None:
    fill(block_list, clock, 10)
    everyone = [block.address or "" for block in block_list.blocks()]
    first = reader.get("/blocks?limit=4").json
    assert first is not None
    block_list.unblock(everyone[3], by="test")  # the very block that the cursor names
    block_list.unblock(everyone[5], by="test")
    block_list.block([UNKNOWN], by="test")
    rest = reader.get(f"/blocks?cursor={first['next_cursor']}").json
    assert rest is not None
    assert [block["address"] for block in rest["blocks"]] == [everyone[4], *everyone[6:], None]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("account=shop1@gmail.com", [1, 3, 5, 7, 9]),
        ("account=SHOP0@gmail.com", [0, 2, 4, 6, 8]),
        ("account=nobody@gmail.com", []),
        ("q=BUYER00007", [7]),
        ("q=buyer0000", [*range(10)]),
        ("reason=opted_out", [*range(10)]),
        ("reason=manual", []),
        ("since=2026-10-25T10:00:00Z", [4, 5, 6, 7, 8, 9]),
        ("since=2026-10-25T10:00:00.5Z", [8, 9]),
        ("since=2026-10-25T12:00:00%2B02:00", [4, 5, 6, 7, 8, 9]),
        ("since=2026-10-26", [8, 9]),
        ("since=2026-10-25T10:00:00Z&account=shop1@gmail.com&q=r00005", [5]),
    ],
)
def test_a_list_is_narrowed(
    reader: Program, block_list: BlockList, clock: FakeClock, query: str, numbers: list[int]
) -> None:
    fill(block_list, clock, 10)
    addresses = list(chain(*walk(reader, f"&{query}")))
    assert addresses == [f"buyer{number:05}@marketplace.amazon.it" for number in numbers]


def test_a_list_shows_what_others_did_meanwhile(
    reader: Program, engine: App, block_list: BlockList, clock: FakeClock
) -> None:
    fill(block_list, clock, 2)
    assert len(walk(reader)[0]) == 2
    with closing(open_database(engine.settings.data_dir)) as database:
        BlockList(database).unblock("buyer00000@marketplace.amazon.it", by="other")
    assert walk(reader) == [["buyer00001@marketplace.amazon.it"]]


@pytest.mark.parametrize("path", ["/blocks", "/blocks?q=buyer", "/export", "/export?format=csv"])
def test_an_unchanged_list_is_not_sent_again(
    reader: Program, block_list: BlockList, clock: FakeClock, path: str
) -> None:
    fill(block_list, clock, 3)
    first = reader.get(path)
    tag = first.headers["ETag"]
    assert tag.startswith("W/")  # compression and the time of an export differ between equal answers
    again = reader.get(path, headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert first.headers["Cache-Control"] == "private, no-cache"
    block_list.unblock("buyer00000@marketplace.amazon.it", by="test")
    changed = reader.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_is_that_of_the_command(
    reader: Program, block_list: BlockList, clock: FakeClock, name: str
) -> None:
    fill(block_list, clock, 3)
    expected = b"".join(block_list.export(name))
    plain = reader.get(f"/export?format={name}")
    assert plain.data == expected
    assert plain.content_type == FORMATS[name].content_type
    assert "Content-Encoding" not in plain.headers
    packed = reader.get(f"/export?format={name}", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == expected
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_gzip_that_is_ruled_out_is_not_used(reader: Program) -> None:
    answer = reader.get("/export", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "Content-Encoding" not in answer.headers
    assert orjson.loads(answer.data)["count"] == 0


def test_an_export_holds_what_was_seen_since(
    reader: Program, block_list: BlockList, clock: FakeClock
) -> None:
    fill(block_list, clock, 10)
    lines = reader.get("/export?format=txt&since=2026-10-26").text.splitlines()
    assert lines == ["buyer00008@marketplace.amazon.it", "buyer00009@marketplace.amazon.it"]


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "%C3%A9", "_406-1234508-7654301", "yesterday_406-1234508-7654301"),
        *(
            "2026-11-22T10:00:00Z_",
            "2026-11-22T10:00:00Z_buyer",
            "2026-11-22T10:00:00Z_406-1234508-7654301%0A",
        ),
        *("2026-13-22T10:00:00Z_406-1234508-7654301", "2026-02-30T10:00:00Z_406-1234508-7654301"),
    ],
)
def test_a_cursor_that_was_not_made_here_is_refused(reader: Program, cursor: str) -> None:
    tag = reader.get("/blocks").headers["ETag"]
    answer = reader.get(f"/blocks?cursor={cursor}", headers={"If-None-Match": tag})
    assert answer.status_code == 400
    assert "cursor" in answer.text


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=%D9%A3", "limit"),
        ("reason=because", "reason"),
        ("since=yesterday", "since"),
        ("since=2026-02-30", "since"),
        ("since=9999-12-31T23:59:59.5Z", "since"),
        ("since=0001-01-01T00:00:00%2B01:00", "since"),
        ("since=20261123", "since"),
        ("reasno=manual", "reasno"),
        ("limit=1&limit=2", "more than once"),
        (f"q={'x' * 201}", "200 characters"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_in_a_sentence(reader: Program, query: str, word: str) -> None:
    answer = reader.get(f"/blocks?{query}")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert word in answer.json["detail"]  # type: ignore[index]


def test_a_walk_goes_on_after_any_kind_of_key(reader: Program, block_list: BlockList) -> None:
    block_list.block(["D01-1234567-1234567", UNKNOWN, "k4q8z1x7@m.marketplace.amazon.co.jp"], by="test")
    answer: dict[str, Any] = {}
    seen, cursor = [], ""
    for _ in range(3):
        answer = reader.get(f"/blocks?limit=1{cursor}").get_json()
        seen += [block["address"] or block["orders"][0] for block in answer["blocks"]]
        cursor = f"&cursor={answer['next_cursor']}"
    assert seen == [UNKNOWN, "D01-1234567-1234567", "k4q8z1x7@m.marketplace.amazon.co.jp"]
    assert answer["next_cursor"] is None


@pytest.mark.parametrize("path", ["/blocks?", "/export?format=json&"])
def test_pages_and_exports_take_the_same_filters(
    reader: Program, block_list: BlockList, clock: FakeClock, path: str
) -> None:
    fill(block_list, clock, 8)
    block_list.block(["seller0001x@marketplace.amazon.de"], note="by phone", by="test")

    def count(asked: str) -> int:
        answer = reader.get(path + asked).json
        assert answer is not None
        return len(answer["blocks"])

    assert count("") == 9
    assert count("account=SHOP1@gmail.com") == 4
    assert count("marketplace=amazon.de") == 1
    assert count("reason=opted_out&marketplace=amazon.it") == 8
    assert count("q=By%20Phone") == 1
    assert reader.get(f"{path}market=amazon.de").status_code == 400
