"""Measure whole commands with 100,000 blocks: ``--help``, ``check``, and ``serve`` until its page answers.

Beside each stands a program that does as little: Flask's own help, a look-up in SQLite, an empty page under waitress.
"""

import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

from worker.block_list.block_list import BlockList
from worker.block_list.model import Sighting

BLOCKS = 100_000
RUNS = 7
KEY = f"b{5:014d}@marketplace.amazon.it"
WANTED = {"--help": 0.25, "check": 0.4, "serve to its page": 1.5}  # seconds
LOOK_UP = (
    "import sqlite3, sys; "
    "print(sqlite3.connect(sys.argv[1]).execute('SELECT 1 FROM blocks WHERE address = ?', sys.argv[2:]).fetchone())"
)
EMPTY_PAGE = (
    "import sys, flask, waitress; app = flask.Flask('x'); app.add_url_rule('/', 'x', lambda: 'x'); "
    "waitress.serve(app, host='127.0.0.1', port=int(sys.argv[1]))"
)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder, beside = Path(name) / "data", Path(name) / "beside.sqlite"
        fill(folder, beside)
        ours, python = [sys.executable, "-m", "oauth_web"], [sys.executable]
        environment = {**os.environ, "BUYERBLOCK_DATA_DIR": str(folder)}
        pairs = {
            "--help": (
                lambda: ended([*ours, "--help"], environment),
                lambda: ended([*python, "-m", "flask", "--help"], environment),
            ),
            "check": (
                lambda: ended([*ours, "check", KEY], environment),
                lambda: ended([*python, "-c", LOOK_UP, str(beside), KEY], environment),
            ),
            "serve to its page": (
                lambda: answered([*ours, "serve", "--no-open", "--port"], "/", environment),
                lambda: answered([*python, "-c", EMPTY_PAGE], "/", environment),
            ),
        }
        for what, (measure, peer) in pairs.items():
            mine, theirs = median(measure), median(peer)
            print(
                f"{what}, {BLOCKS:,} blocks: {mine:.2f} s; wanted {WANTED[what]:.2f} s; "
                f"beside it {theirs:.2f} s (ours takes {mine / theirs:.1f} times that)"
            )


def fill(folder: Path, beside: Path) -> None:
    now = datetime.now(UTC)
    addresses = [f"b{n:014d}@marketplace.amazon.it" for n in range(BLOCKS)]
    folder.mkdir()
    BlockList(folder).record(
        [Sighting(account="a", message_id=it, received_at=now, address=it) for it in addresses]
    )
    with closing(sqlite3.connect(beside)) as database:
        database.execute("CREATE TABLE blocks (address TEXT PRIMARY KEY) WITHOUT ROWID")
        database.executemany("INSERT INTO blocks VALUES (?)", ((it,) for it in addresses))
        database.commit()


def median(measure: Callable[[], float]) -> float:
    """Return the median of some runs, after one that warms the disk's cache."""
    measure()
    return statistics.median(measure() for _ in range(RUNS))


def ended(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=False, capture_output=True)
    return time.perf_counter() - started


def answered(command: list[str], path: str, environment: dict[str, str]) -> float:
    """Return the seconds from the start of a server to its first whole page. The port goes behind the command."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    with subprocess.Popen([*command, str(port)], env=environment, stderr=subprocess.DEVNULL) as process:
        while not asked(port, path):
            time.sleep(0.005)
        took = time.perf_counter() - started
        process.terminate()
    return took


def asked(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return bool(connection.getresponse().read())
    except ConnectionError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
