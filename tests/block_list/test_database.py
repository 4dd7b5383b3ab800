"""What TinyDB itself does over the journal storage."""

from pathlib import Path
from typing import Any

import pytest
from making import SELLER, alias, notice, order
from tinydb import where
from tinydb.table import Document

from worker.block_list.block_list import BlockList
from worker.block_list.database import Database
from worker.block_list.state import State


@pytest.fixture
def database(tmp_path: Path, block_list: BlockList) -> Database:
    block_list.record(
        [notice(1, buyer=1, order_of=1), notice(2, buyer=2, order_of=2, days=1), notice(3, order_of=3)]
    )
    return Database(tmp_path)


def _blocks(database: Database) -> Any:
    """Return the table of blocks; TinyDB's annotations know integer IDs only."""
    return database.table("blocks")


_document: Any = Document  # likewise


def test_addresses_are_document_ids(database: Database) -> None:
    blocks = _blocks(database)

    document = blocks.get(doc_id=alias(1))
    assert (document.doc_id, document["orders"]) == (alias(1), [order(1)])
    assert blocks.get(doc_id="nobody") is None
    assert (len(blocks), blocks.contains(doc_id=order(3))) == (3, True)


def test_queries_find_documents(database: Database) -> None:
    blocks = _blocks(database)

    assert [each.doc_id for each in blocks.search(where("orders").any([order(2)]))] == [alias(2)]
    assert blocks.count(where("accounts").any([SELLER])) == 3
    assert {each.doc_id for each in blocks.all()} == {alias(1), alias(2), order(3)}
    assert database.tables() == {"blocks", "unblocked", "imports"}


def test_updates_and_removals_are_durable_and_cost_only_what_changed(
    database: Database, block_list: BlockList, tmp_path: Path
) -> None:
    blocks = _blocks(database)
    before = sum(path.stat().st_size for path in tmp_path.glob("*.journal"))

    blocks.update({"note": "seen"}, doc_ids=[alias(1)])
    blocks.remove(where("address") == None)  # noqa: E711 - TinyDB builds a query from the comparison
    blocks.insert(_document(dict(blocks.get(doc_id=alias(2)), address=alias(9), orders=[]), alias(9)))
    assert [block.note for block in block_list.blocks()] == ["seen", "", ""]
    assert [block.key for block in block_list.blocks()] == [alias(1), alias(2), alias(9)]
    assert block_list.get(order(3)) is None
    assert sum(path.stat().st_size for path in tmp_path.glob("*.journal")) - before < 2500


def test_dropping_and_emptying_tables_is_a_transaction_too(database: Database, block_list: BlockList) -> None:
    block_list.unblock(alias(1), by="test")

    database.drop_table("unblocked")
    assert len(database.table("unblocked")) == 0
    assert len(block_list) == 2
    database.table("blocks").truncate()
    assert len(block_list) == 0
    database.drop_tables()
    assert '"what":"update","entries":[["removed"' in b"".join(block_list.audit()).decode()


def test_a_copy_of_an_empty_state_learns_nothing_of_later_orders() -> None:
    state = State()
    assert state.key_of_order == {}
    copied = state.copy()
    state.apply({"blocks": {alias(1): b'{"orders":["111-1111111-1111111"],"first_seen":""}'}}, 1)
    assert state.key_of_order == {"111-1111111-1111111": alias(1)}
    assert copied.key_of_order == {}
