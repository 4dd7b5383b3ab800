"""Compare the block list with plain TinyDB and SQLite on the same data.

Plain TinyDB is only measured up to 100,000 blocks: with more, one operation takes seconds.
"""

import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import orjson
from tinydb import TinyDB
from tinydb.table import Document, Table

from benchmarks.filling import address, fill, sighting
from worker.block_list.block_list import BlockList
from worker.block_list.documents import to_document
from worker.block_list.merging import block_of
from worker.block_list.model import Entry, Sighting
from worker.database import open_database

SIZES = (100_000, 1_000_000)
_MAX_TINYDB = 100_000
_NEW_BLOCKS = 50
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _document(number: int) -> dict[str, Any]:
    return to_document(Entry(block=block_of(_sighting(number))))


def _sighting(number: int) -> Sighting:
    return sighting(number, of=_MAX_TINYDB, now=_NOW)


class Store(Protocol):
    """The measured operations."""

    name: str

    def fill(self, size: int) -> None:
        """Create a list of this size."""

    def open(self) -> int:
        """Open the list again and return its length."""

    def check(self, key: str) -> bool:
        """Look up a key."""

    def add(self, numbers: list[int]) -> None:
        """Add new blocks durably."""

    def export(self) -> int:
        """Export the list as JSON; return the number of bytes."""


class Ours:
    """The block list of this project."""

    name = "buyerblock"

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def fill(self, size: int) -> None:
        with closing(open_database(self.directory)) as database:
            fill(BlockList(database), size)

    def open(self) -> int:
        self.block_list = BlockList(open_database(self.directory))
        return len(self.block_list)

    def check(self, key: str) -> bool:
        return self.block_list.check([key])[0].blocked

    def add(self, numbers: list[int]) -> None:
        self.block_list.record([_sighting(number) for number in numbers])

    def export(self) -> int:
        return sum(map(len, self.block_list.export("json")))


class _KeyedTable(Table):
    document_id_class = str  # type: ignore[assignment]  # TinyDB documents this as its way to other IDs


class PlainTinyDB:
    """TinyDB with its defaults; addresses are document IDs."""

    name = "TinyDB"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "tinydb.json"

    def fill(self, size: int) -> None:
        self.path.write_text(
            json.dumps({"blocks": {address(number): _document(number) for number in range(size)}})
        )

    def open(self) -> int:
        self.table: Any = _KeyedTable(TinyDB(self.path).storage, "blocks")
        return len(self.table)

    def check(self, key: str) -> bool:
        return self.table.get(doc_id=key) is not None

    def add(self, numbers: list[int]) -> None:
        make: Any = Document
        self.table.insert_multiple([make(_document(number), address(number)) for number in numbers])

    def export(self) -> int:
        return len(json.dumps(self.table.all()))


class SQLite:
    """SQLite with the document as a column, and its default of ``synchronous``."""

    name = "SQLite"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "blocks.sqlite"

    def fill(self, size: int) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("create table blocks (key text primary key, first_seen text, document blob)")
            connection.executemany("insert into blocks values (?, ?, ?)", map(self._row, range(size)))

    def open(self) -> int:
        self.connection = sqlite3.connect(self.path)
        return int(self.connection.execute("select count(*) from blocks").fetchone()[0])

    def check(self, key: str) -> bool:
        return self.connection.execute("select 1 from blocks where key = ?", (key,)).fetchone() is not None

    def add(self, numbers: list[int]) -> None:
        with self.connection:
            self.connection.executemany("insert into blocks values (?, ?, ?)", map(self._row, numbers))

    def export(self) -> int:
        rows = self.connection.execute("select document from blocks order by first_seen, key")
        return len(b"[" + b",\n".join(document for (document,) in rows) + b"]")

    def _row(self, number: int) -> tuple[str, str, bytes]:
        document = _document(number)
        return address(number), document["first_seen"], orjson.dumps(document)


@dataclass(frozen=True)
class Measurement:
    """Seconds of each operation."""

    open: float
    check: float
    add: float
    export: float


def main() -> None:
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            stores: list[Store] = [Ours(Path(folder)), SQLite(Path(folder))]
            if size <= _MAX_TINYDB:
                stores.insert(1, PlainTinyDB(Path(folder)))
            print(f"\nBlock list of {size:,} blocks")
            _print({store.name: _measure(store, size) for store in stores})
            print(f"  memory of a process with the open list: {_memory(Path(folder))}")


def _measure(store: Store, size: int) -> Measurement:
    store.fill(size)
    lookups = 3 if isinstance(store, PlainTinyDB) else 10_000
    keys = [address(number * 7919 % (2 * size)) for number in range(lookups)]  # every other one is blocked
    new_numbers = count(size)
    return Measurement(
        open=min(_seconds(store.open) for _ in range(3)),
        check=_seconds(lambda: [store.check(key) for key, _ in zip(keys, range(lookups), strict=False)])
        / lookups,
        add=statistics.median(_seconds(lambda: store.add(_take(new_numbers))) for _ in range(5)),
        export=_seconds(store.export),
    )


def _take(numbers: Iterator[int]) -> list[int]:
    return [next(numbers) for _ in range(_NEW_BLOCKS)]


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _print(measurements: dict[str, Measurement]) -> None:
    ours = measurements[Ours.name]
    rows = {
        "open": (1000.0, "ms"),
        "check": (1_000_000.0, "µs a key"),
        "add": (1000.0, f"ms for {_NEW_BLOCKS} new, durable"),
        "export": (1000.0, "ms as JSON"),
    }
    for row, (factor, unit) in rows.items():
        own = getattr(ours, row)
        cells = [
            f"{name} {getattr(measurement, row) * factor:,.1f}"
            + ("" if measurement is ours else f" ({getattr(measurement, row) / own:,.1f} times ours)")
            for name, measurement in measurements.items()
        ]
        print(f"  {row:<7}{unit:<23} {'   '.join(cells)}")


def _memory(directory: Path) -> str:
    """Return the peak memory of a new process that opens the list, looks up a key and exports the list."""
    if sys.platform == "win32":
        return "not measured on Windows"
    # On Linux ru_maxrss also includes the memory of the parent process.
    peak = (
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
        if sys.platform == "darwin"
        else "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    program = (
        "import resource, sys; from pathlib import Path; from worker.block_list.block_list import BlockList; "
        "from worker.database import open_database; b = BlockList(open_database(Path(sys.argv[1]))); "
        "b.check(['111-1111111-1111111']); sum(map(len, b.export('json'))); " + peak
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(directory)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    return f"{int(done.stdout) / 1024:,.0f} MB"


if __name__ == "__main__":
    main()
