"""The entries of an open transaction, as values."""

from worker.block_list.documents import to_document, to_entry
from worker.block_list.model import Entry
from worker.block_list.state import BLOCKS, UNBLOCKED, dump
from worker.block_list.transaction import Transaction


class OpenEntries:
    """The entries as an open transaction sees them."""

    def __init__(self, transaction: Transaction) -> None:
        self._orders = transaction.state.key_of_order
        self._moved: dict[str, str] = {}
        self._blocks = transaction.table(BLOCKS)
        self._unblocked = transaction.table(UNBLOCKED)

    def get(self, key: str) -> Entry | None:
        document = self._blocks.get(key) or self._unblocked.get(key)
        return to_entry(document) if document is not None else None

    def of_order(self, order_id: str) -> Entry | None:
        key = self._moved.get(order_id) or self._orders.get(order_id)
        entry = self.get(key) if key else None
        return entry if entry is not None and order_id in entry.block.orders else None

    def put(self, entry: Entry) -> None:
        key = entry.block.key
        self.drop(key)
        table = self._blocks if entry.unblocked_at is None else self._unblocked
        table.put(key, dump(to_document(entry)))
        self._moved.update(dict.fromkeys(entry.block.orders, key))

    def drop(self, key: str) -> None:
        for table in (self._blocks, self._unblocked):
            table.pop(key, None)
