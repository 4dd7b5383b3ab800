"""Measure the question that mailing tools ask over HTTP, with 100,000 blocks: are these 1,000 buyers blocked?

SQLite's answer to the same keys, in process and without HTTP, is printed beside it.
"""

import json
import sqlite3
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

from waitress import create_server

from benchmarks.filling import address, fill
from oauth_web.application import create_app
from worker.app import build_app
from worker.owner.tokens import Tokens
from worker.settings import Settings

BLOCKS = 100_000
ASKED = 1_000
WANTED = 8.0  # milliseconds
ROUNDS = 50


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(data_dir=folder, client_secrets=folder / "client_secret.json")
        app = build_app(settings)
        fill(app.block_list, BLOCKS)
        page = create_app(app)
        server = create_server(page, host="127.0.0.1", port=0)
        threading.Thread(target=server.run, daemon=True).start()
        token = Tokens(app.database).create("benchmark", "read", now=datetime.now(UTC))
        asked = batches(BLOCKS)
        ours = [ask(server.effective_port, token, keys) for keys in asked]
        theirs = beside(asked, BLOCKS)
        server.close()
        app.close()
    report(f"{BLOCKS:,} blocks", ours, theirs, WANTED)


def batches(size: int) -> list[list[str]]:
    """Return the keys of each question about a list of this size; every other one is on it."""
    return [
        [address((n * 7 + r) % size + (size if n % 2 else 0)) for n in range(ASKED)] for r in range(ROUNDS)
    ]


def report(of: str, ours: list[float], theirs: float, wanted: float) -> None:
    """Print what questions took, in milliseconds."""
    median, worst = statistics.median(ours), max(ours)
    print(f"{ASKED:,} keys by HTTP, {of}: {median:.1f} ms, worst {worst:.1f} ms; wanted {wanted:.0f} ms")
    print(f"  SQLite in process, without HTTP: {theirs:.1f} ms ({median / theirs:.1f} times that)")


def ask(port: int, token: str, keys: list[str]) -> float:
    """Return the milliseconds from question to answer."""
    connection = HTTPConnection("127.0.0.1", port)
    body = json.dumps({"keys": keys})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    started = time.perf_counter()
    connection.request("POST", "/api/v1/blocks/check", body, headers)
    answer = connection.getresponse()
    results = json.loads(answer.read())["results"]
    took = (time.perf_counter() - started) * 1000
    connection.close()
    assert [it["key"] for it in results] == keys
    assert sum(it["blocked"] for it in results) == ASKED // 2
    return took


def beside(batches: list[list[str]], size: int) -> float:
    """Return the median milliseconds that SQLite takes for the same keys."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE blocks (address TEXT PRIMARY KEY) WITHOUT ROWID")
    database.executemany("INSERT INTO blocks VALUES (?)", ((address(n),) for n in range(size)))
    took = []
    for keys in batches:
        started = time.perf_counter()
        found = [
            database.execute("SELECT 1 FROM blocks WHERE address = ?", (key,)).fetchone() for key in keys
        ]
        took.append((time.perf_counter() - started) * 1000)
        assert sum(row is not None for row in found) == ASKED // 2
    database.close()
    return statistics.median(took)


if __name__ == "__main__":
    main()
