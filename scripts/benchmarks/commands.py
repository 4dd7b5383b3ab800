"""Measure commands with 100,000 and 1,000,000 blocks: ``--help``, ``check``, and ``serve`` until its page answers.

The memory of ``serve`` is its peak after requests for pages of the list, a search and exports.

Each is compared with a minimal program: Flask's own help, a look-up in SQLite, an empty page with waitress.
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
TARGETS = {"--help": 0.25, "check": 0.2, "serve to its page": 1.5}  # seconds
TARGET_MEMORY = 75  # MB
PATHS = ("/blocks?limit=1000", "/blocks?q=b0000", f"/blocks?account={OWNER}", "/export", "/export?format=csv")
LOOK_UP = (
    "import sqlite3, sys; "
    "print(sqlite3.connect(sys.argv[1]).execute('SELECT 1 FROM blocks WHERE address = ?', sys.argv[2:]).fetchone())"
)
EMPTY_PAGE = (
    "import sys, flask, waitress; app = flask.Flask('x'); app.add_url_rule('/', 'x', lambda: 'x'); "
    "waitress.serve(app, host='127.0.0.1', port=int(sys.argv[1]))"
)


def main() -> None:
    for size in SIZES:
        with tempfile.TemporaryDirectory() as name:
            measure(Path(name) / "data", Path(name) / "beside.sqlite", size)


def measure(folder: Path, peer_database: Path, size: int) -> None:
    token = fill_both(folder, peer_database, size)
    ours, python = [sys.executable, "-m", "oauth_web"], [sys.executable]
    environment = {**os.environ, "BUYERBLOCK_DATA_DIR": str(folder)}
    serve = [*ours, "serve", "--no-open", "--port"]
    pairs = {
        "--help": (
            lambda: run_time([*ours, "--help"], environment),
            lambda: run_time([*python, "-m", "flask", "--help"], environment),
        ),
        "check": (
            lambda: run_time([*ours, "check", KEY], environment),
            lambda: run_time([*python, "-c", LOOK_UP, str(peer_database), KEY], environment),
        ),
        "serve to its page": (
            lambda: start_time(serve, environment),
            lambda: start_time([*python, "-c", EMPTY_PAGE], environment),
        ),
    }
    print(f"\nCommands with {size:,} blocks")
    for what, (ours_time, peer) in pairs.items():
        seconds, peer_seconds = median(ours_time), median(peer)
        print(
            f"  {what}: {seconds:.2f} s; wanted {TARGETS[what]:.2f} s; "
            f"beside it {peer_seconds:.2f} s (ours takes {seconds / peer_seconds:.1f} times that)"
        )
    if sys.platform == "linux":
        with running(serve, environment) as (process, port):
            for path in PATHS:
                responds(port, f"/api/v1{path}", {"Authorization": f"Bearer {token}"})
            print(f"  memory of serve: {peak(process):.0f} MB; wanted {TARGET_MEMORY} MB")


def fill_both(folder: Path, peer_database: Path, size: int) -> str:
    """Fill our list and SQLite's; return a token for our API."""
    folder.mkdir()
    with closing(open_database(folder)) as database:
        fill(BlockList(database), size)
        token = Tokens(database).create("benchmark", "read", now=datetime.now(UTC))
    with closing(sqlite3.connect(peer_database)) as database:
        database.execute("CREATE TABLE blocks (address TEXT PRIMARY KEY) WITHOUT ROWID")
        database.executemany("INSERT INTO blocks VALUES (?)", ((address(n),) for n in range(size)))
        database.commit()
    return token


def median(measure: Callable[[], float]) -> float:
    """Return the median of RUNS runs, after one to warm the disk cache."""
    measure()
    return statistics.median(measure() for _ in range(RUNS))


def run_time(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds of a command."""
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=False, capture_output=True)
    return time.perf_counter() - started


def start_time(command: list[str], environment: dict[str, str]) -> float:
    """Return the seconds from the start of a server to its first complete page."""
    started = time.perf_counter()
    with running(command, environment):
        return time.perf_counter() - started


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a server; after its first page yield its process and port. The port is appended to the command."""
    port = free_port()
    with subprocess.Popen([*command, str(port)], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            while not responds(port, "/"):
                time.sleep(0.005)
            yield process, port
        finally:
            process.terminate()


def responds(port: int, path: str, headers: dict[str, str] | None = None) -> bool:
    """Read a response; return whether the server sent one."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers=headers or {})
        return bool(connection.getresponse().read())
    except ConnectionError:
        return False
    finally:
        connection.close()


def peak(process: subprocess.Popen[bytes]) -> float:
    """Return the peak memory of a process in MB."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
