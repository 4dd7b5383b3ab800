"""Measure commands with 100,000 and 1,000,000 blocks: ``--help``, ``check``, and ``serve`` until its page answers.

The memory of ``serve`` is its peak, after programs have asked it for pages of the list, for keys and for an export.

Beside each runs a program that does as little: Flask's own help, a look-up in SQLite, an empty page under waitress.
"""

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.filling import OWNER, address, fill
from oauth_web.demo.program import free_port
from worker.block_list.block_list import BlockList
from worker.database import open_database
from worker.owner.tokens import Tokens

SIZES = (100_000, 1_000_000)
RUNS = 7
KEY = address(5)
WANTED = {"--help": 0.25, "check": 0.2, "serve to its page": 1.5}  # seconds
WANTED_MEMORY = 75  # MB
ASKED = ("/blocks?limit=1000", "/blocks?q=b0000", f"/blocks?account={OWNER}", "/export", "/export?format=csv")
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
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            measure(Path(name) / "data", Path(name) / "beside.sqlite", size)


def measure(folder: Path, beside: Path, size: int) -> None:
    """Print the figures of one list."""
    token = fill_both(folder, beside, size)
    ours, python = [sys.executable, "-m", "oauth_web"], [sys.executable]
    environment = {**os.environ, "BUYERBLOCK_DATA_DIR": str(folder)}
    serve = [*ours, "serve", "--no-open", "--port"]
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
            lambda: answered(serve, environment),
            lambda: answered([*python, "-c", EMPTY_PAGE], environment),
        ),
    }
    print(f"\nCommands with {size:,} blocks")
    for what, (mine, peer) in pairs.items():
        took, theirs = median(mine), median(peer)
        print(
            f"  {what}: {took:.2f} s; wanted {WANTED[what]:.2f} s; "
            f"beside it {theirs:.2f} s (ours takes {took / theirs:.1f} times that)"
        )
    if sys.platform == "linux":
        with running(serve, environment) as (process, port):
            for path in ASKED:
                asked(port, f"/api/v1{path}", {"Authorization": f"Bearer {token}"})
            print(f"  memory of serve: {peak(process):.0f} MB; wanted {WANTED_MEMORY} MB")


def fill_both(folder: Path, beside: Path, size: int) -> str:
    """Make our list and SQLite's; return a token for our API."""
    folder.mkdir()
    with closing(open_database(folder)) as database:
        fill(BlockList(database), size)
        token = Tokens(database).create("benchmark", "read", now=datetime.now(UTC))
    with closing(sqlite3.connect(beside)) as database:
        database.execute("CREATE TABLE blocks (address TEXT PRIMARY KEY) WITHOUT ROWID")
        database.executemany("INSERT INTO blocks VALUES (?)", ((address(n),) for n in range(size)))
        database.commit()
    return token


def median(measure: Callable[[], float]) -> float:
    """Return the median of some runs, after one that warms the disk's cache."""
    measure()
    return statistics.median(measure() for _ in range(RUNS))


def ended(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=False, capture_output=True)
    return time.perf_counter() - started


def answered(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds from the start of a server to its first whole page."""
    started = time.perf_counter()
    with running(command, environment):
        return time.perf_counter() - started


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a server from its first page on; yield its process and its port, which goes behind the command."""
    port = free_port()
    with subprocess.Popen([*command, str(port)], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while not asked(port, "/"):
                time.sleep(0.005)
            yield process, port
        finally:
            process.terminate()


def asked(port: int, path: str, headers: dict[str, str] | None = None) -> bool:
    """Return whether a server answers, having read the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers=headers or {})
        return bool(connection.getresponse().read())
    except ConnectionError:
        return False
    finally:
        connection.close()


def peak(process: subprocess.Popen[bytes]) -> float:
    """Return the most memory that a process has had, in MB."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
