"""All documents in memory: raw JSON by table and key, parsed only when somebody asks.

Raw bytes take a fifth of the memory of parsed documents, and opening a list of any length parses nothing.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from typing import Any, cast

import orjson

from worker.block_list.model import Reason

Changes = Mapping[str, Mapping[str, bytes | None]]
"""By table and key: the new raw document, or None where it goes away."""

BLOCKS, UNBLOCKED, IMPORTS = "blocks", "unblocked", "imports"
TABLES = (BLOCKS, UNBLOCKED, IMPORTS)
_WITH_ORDERS = (BLOCKS, UNBLOCKED)
_MOST_MOVES = 1000


class State:
    """The tables after some number of transactions (sequence)."""

    def __init__(self) -> None:
        self.sequence = 0
        self.tables: dict[str, dict[str, bytes]] = {name: {} for name in TABLES}
        self._key_of_order: dict[str, str] | None = None
        self._sorted: list[tuple[bytes, str]] | None = None

    def copy(self) -> "State":
        """Return the same content, unmoved by later transactions."""
        copied = State()
        copied.sequence = self.sequence
        copied.tables = {name: dict(table) for name, table in self.tables.items()}
        copied._key_of_order = None if self._key_of_order is None else dict(self._key_of_order)
        return copied

    @property
    def key_of_order(self) -> Mapping[str, str]:
        """The index from order to key; made when it is first asked for, which a check of an address never does."""
        if self._key_of_order is None:
            self._key_of_order = {}
            for table in _WITH_ORDERS:
                for key, raw in self.tables[table].items():
                    self._know_orders(key, raw)
        return self._key_of_order

    def apply(self, changes: Changes, sequence: int) -> None:
        """Make the changes of one transaction."""
        for table, documents in changes.items():
            if table in _WITH_ORDERS:
                self._forget_orders(table, documents)
        self._keep_sorted(changes.get(BLOCKS, {}))
        for table, documents in changes.items():
            held = self.tables.setdefault(table, {})
            for key, raw in documents.items():
                if raw is None:
                    held.pop(key, None)
                else:
                    held[key] = raw
                    if table in _WITH_ORDERS:
                        self._know_orders(key, raw)
        self.sequence = sequence

    def blocks_in_order(self) -> list[bytes]:
        """Return the raw blocks in force, sorted by first_seen, then key."""
        blocks = self.tables[BLOCKS]
        if self._sorted is None:
            self._sorted = sorted((first_seen_of(raw), key) for key, raw in blocks.items())
        return [blocks[key] for _, key in self._sorted]

    def _keep_sorted(self, documents: Mapping[str, bytes | None]) -> None:
        """Move what changes to its new place, unless there is so much that sorting anew is faster."""
        if self._sorted is None or len(documents) > _MOST_MOVES:
            self._sorted = None
            return
        blocks = self.tables[BLOCKS]
        for key, raw in documents.items():
            if key in blocks:
                del self._sorted[bisect_left(self._sorted, (first_seen_of(blocks[key]), key))]
            if raw is not None:
                insort(self._sorted, (first_seen_of(raw), key))

    def _know_orders(self, key: str, raw: bytes) -> None:
        if self._key_of_order is not None:
            self._key_of_order.update(dict.fromkeys(orders_of(raw), key))

    def _forget_orders(self, table: str, keys: Iterable[str]) -> None:
        if (index := self._key_of_order) is None:
            return
        held = self.tables[table]
        for key in keys:
            for order in orders_of(held[key]) if key in held else ():
                if index.get(order) == key:
                    del index[order]


def parse(raw: bytes) -> dict[str, Any]:
    """Return the document that raw holds."""
    document: dict[str, Any] = orjson.loads(raw)
    return document


def dump(document: Mapping[str, Any]) -> bytes:
    """Return the raw form of a document, to be kept."""
    # orjson leaves its buffer of some kilobytes around a short result; a copy is as long as its content.
    return bytes(memoryview(orjson.dumps(document)))


# The slices below need no parser: a quotation mark inside a JSON string is always preceded by a backslash, so
# these patterns can only be the field names themselves.


def orders_of(raw: bytes) -> list[str]:
    """Return the order IDs of a raw block."""
    start = raw.index(b'"orders":[') + 10
    inside = raw[start : raw.index(b"]", start)]
    return inside[1:-1].decode().split('","') if inside else []


def first_seen_of(raw: bytes) -> bytes:
    """Return the time by which a raw block is sorted; all times have the same shape."""
    start = raw.index(b'"first_seen":"') + 14
    return raw[start : start + 20]


def last_seen_of(raw: bytes) -> bytes:
    """Return when a raw block was last seen, in the same shape."""
    start = raw.index(b'"last_seen":"') + 13
    return raw[start : start + 20]


def reason_of(raw: bytes) -> Reason:
    """Return why a raw block is in force."""
    start = raw.index(b'"reason":"') + 10
    return cast(Reason, raw[start : raw.index(b'"', start)].decode())


def public_part(raw: bytes) -> bytes:
    """Return the raw block as the JSON export shows it."""
    return raw[: raw.index(b',"evidence":')] + b"}"
