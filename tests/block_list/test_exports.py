"""Exports: what each tool reads, the same to the byte for the same list, and nothing that runs."""

import csv
import io
import json
from datetime import timedelta

import pytest
from making import SELLER, START, Now, alias, notice, order

from worker.block_list.block_list import BlockList
from worker.block_list.formats.exports import FORMATS
from worker.block_list.listing import Query
from worker.database import Database
from worker.errors import UsageError


@pytest.fixture
def filled(block_list: BlockList) -> BlockList:
    block_list.record(
        [notice(2, buyer=2, order_of=2, days=1.5), notice(1, buyer=1, order_of=1), notice(3, order_of=3)]
    )
    block_list.record([notice(4, buyer=4)])
    block_list.unblock(alias(4), by="test")
    return block_list


def _export(block_list: BlockList, name: str) -> str:
    return b"".join(block_list.export(name)).decode()


def test_the_json_export_is_the_documented_one(filled: BlockList) -> None:
    assert json.loads(_export(filled, "json")) == {
        "format": "buyerblock/1",
        "exported_at": "2026-09-10T00:04:50Z",
        "count": 3,
        "blocks": [
            {
                "address": None,
                "orders": [order(3)],
                "marketplace": None,
                "reason": "opted_out",
                "accounts": [SELLER],
                "first_seen": "2026-09-10T00:04:50Z",
                "last_seen": "2026-09-10T00:04:50Z",
                "notices": 1,
                "note": "",
            },
            {
                "address": alias(1),
                "orders": [order(1)],
                "marketplace": "amazon.it",
                "reason": "opted_out",
                "accounts": [SELLER],
                "first_seen": "2026-09-10T00:04:50Z",
                "last_seen": "2026-09-10T00:04:50Z",
                "notices": 1,
                "note": "",
            },
            {
                "address": alias(2),
                "orders": [order(2)],
                "marketplace": "amazon.it",
                "reason": "opted_out",
                "accounts": [SELLER],
                "first_seen": "2026-09-11T12:04:50Z",
                "last_seen": "2026-09-11T12:04:50Z",
                "notices": 1,
                "note": "",
            },
        ],
    }


def test_the_json_export_is_the_same_to_the_byte_however_the_list_came_about(
    block_list: BlockList, other_database: Database, now: Now
) -> None:
    notices = [notice(n, buyer=n // 2, order_of=n, days=n % 3) for n in range(12)]
    block_list.record(notices)
    other = BlockList(other_database, now=now)
    for each in reversed(notices):
        other.record([each])

    assert _export(block_list, "json") == _export(other, "json")
    assert _export(BlockList(other_database, now=now), "json") == _export(other, "json")


def test_an_empty_list_exports_as_valid_json(block_list: BlockList) -> None:
    assert json.loads(_export(block_list, "json"))["blocks"] == []
    assert json.loads(_export(block_list, "sendgrid")) == []
    assert json.loads(_export(block_list, "postmark")) == {"Suppressions": []}


def test_services_get_addresses_in_their_own_shape(filled: BlockList) -> None:
    buyers = [alias(1), alias(2)]
    assert _export(filled, "txt").splitlines() == buyers
    assert sorted(_export(filled, "orders").splitlines()) == [order(1), order(2), order(3)]
    assert [json.loads(line) for line in _export(filled, "ses").splitlines()] == [
        {"emailAddress": buyer, "reason": "COMPLAINT"} for buyer in buyers
    ]
    assert json.loads(_export(filled, "sendgrid"))[0] == {
        "created": int(START.timestamp()),
        "email": alias(1),
    }
    assert json.loads(_export(filled, "postmark")) == {
        "Suppressions": [{"EmailAddress": buyer} for buyer in buyers]
    }
    mailgun = list(csv.DictReader(io.StringIO(_export(filled, "mailgun"))))
    assert mailgun[0] == {"address": alias(1), "tags": "*", "created_at": "Thu, 10 Sep 2026 00:04:50 GMT"}
    listmonk = list(csv.DictReader(io.StringIO(_export(filled, "listmonk"))))
    assert listmonk[1]["email"] == alias(2)
    assert json.loads(listmonk[1]["attributes"])["orders"] == [order(2)]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_no_cell_of_the_csv_can_run(block_list: BlockList, start: str) -> None:
    block_list.block([alias(1)], note=f"{start}HYPERLINK()", by="test")

    (row,) = csv.DictReader(io.StringIO(_export(block_list, "csv")))
    assert row["note"].startswith("'")


def test_since_leaves_out_what_was_last_seen_before(filled: BlockList) -> None:
    exported = b"".join(filled.export("txt", query=Query(since=START + timedelta(microseconds=1))))

    assert exported.decode().splitlines() == [alias(2)]
    assert b"".join(filled.export("txt", query=Query(since=START))).decode().splitlines() == [
        alias(1),
        alias(2),
    ]


def test_an_export_shows_one_state_whatever_happens_meanwhile(filled: BlockList) -> None:
    pieces = filled.export("json")
    filled.unblock(alias(1), by="test")

    assert json.loads(b"".join(pieces))["count"] == 3


def test_a_long_list_comes_in_pieces(block_list: BlockList) -> None:
    block_list.block([alias(number) for number in range(4500)], by="test")

    for name in FORMATS:
        pieces = list(block_list.export(name))
        assert max(map(len, pieces), default=0) < 1_000_000
    assert len(_export(block_list, "txt").splitlines()) == 4500
    assert len(json.loads(_export(block_list, "json"))["blocks"]) == 4500
    assert len(list(csv.reader(io.StringIO(_export(block_list, "csv"))))) == 4501


def test_an_unknown_format_is_refused_at_once(block_list: BlockList) -> None:
    with pytest.raises(UsageError, match="no export format 'xls'; choose one of json, ndjson"):
        block_list.export("xls")


@pytest.mark.parametrize(
    "note", ["=1", "x;=1", 'x; "=1"', "x;'=1", "'=1", "''=1", "x;+1;-1;@x", "a - b", "x;\uff1d1", ";;=1"]
)
def test_no_cell_runs_behind_either_separator_and_each_comes_back_as_it_was(
    block_list: BlockList, database: Database, note: str
) -> None:
    block_list.block([alias(1)], note=note, by="test")
    exported = _export(block_list, "csv")
    for separator in ",;":
        for row in csv.reader(io.StringIO(exported), delimiter=separator):
            assert not [cell for cell in row if cell.strip(' "').startswith(("=", "+", "-", "@", "\uff1d"))]
    database.drop_tables()
    block_list.apply_import(block_list.preview_import(exported.encode()), by="test")
    assert [it.note for it in block_list.blocks()] == [note]
