"""Measure the check of 1,000 keys over HTTP, as mailing tools do it, with 100,000 blocks.

It is compared with SQLite for the same keys, in process and without HTTP.
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
KEYS = 1_000
TARGET = 8.0  # milliseconds
ROUNDS = 50


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(data_dir=folder, client_secrets=folder / "client_secret.json")
        app = build_app(settings)
        fill(app.block_list, BLOCKS)
        page = create_app(app)
        server = create_server(page, host="127.0.0.1", port=0)
        threading.Thread(target=server.run, daemon=True).start()
        token = Tokens(app.database).create("benchmark", "read", now=datetime.now(UTC))
        requests = batches(BLOCKS)
        ours = [ask(server.effective_port, token, keys) for keys in requests]
        sqlite = sqlite_time(requests, BLOCKS)
        server.close()
        app.close()
    report(f"{BLOCKS:,} blocks", ours, sqlite, TARGET)


def batches(size: int) -> list[list[str]]:
    """Return the keys of each request for a list of this size; every other key is blocked."""
    return [
        [address((n * 7 + r) % size + (size if n % 2 else 0)) for n in range(KEYS)] for r in range(ROUNDS)
    ]


def report(what: str, ours: list[float], sqlite: float, target: float) -> None:
    """Print the times of requests. ours, sqlite: milliseconds."""
    median, worst = statistics.median(ours), max(ours)
    print(f"{KEYS:,} keys by HTTP, {what}: {median:.1f} ms, worst {worst:.1f} ms; wanted {target:.0f} ms")
    print(f"  SQLite in process, without HTTP: {sqlite:.1f} ms ({median / sqlite:.1f} times that)")


def ask(port: int, token: str, keys: list[str]) -> float:
    """Return the milliseconds of a request."""
    connection = HTTPConnection("127.0.0.1", port)
    body = json.dumps({"keys": keys})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    started = time.perf_counter()
    connection.request("POST", "/api/v1/blocks/check", body, headers)
    answer = connection.getresponse()
    results = json.loads(answer.read())["results"]
    milliseconds = (time.perf_counter() - started) * 1000
    connection.close()
    assert [it["key"] for it in results] == keys
    assert sum(it["blocked"] for it in results) == KEYS // 2
    return milliseconds


def sqlite_time(batches: list[list[str]], size: int) -> float:
    """Return SQLite's median milliseconds for the same keys."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE blocks (address TEXT PRIMARY KEY) WITHOUT ROWID")
    database.executemany("INSERT INTO blocks VALUES (?)", ((address(n),) for n in range(size)))
    times = []
    for keys in batches:
        started = time.perf_counter()
        found = [
            database.execute("SELECT 1 FROM blocks WHERE address = ?", (key,)).fetchone() for key in keys
        ]
        times.append((time.perf_counter() - started) * 1000)
        assert sum(row is not None for row in found) == KEYS // 2
    database.close()
    return statistics.median(times)


if __name__ == "__main__":
    main()
