"""Kill programs that write to the database, at random moments, and look whether anything they promised is lost.

    python3 scripts/kill_the_program.py [--times 1000]

Each program commits transactions over several tables, large imports and deletions, and copies the database meanwhile.
It prints a number after each commit, and is killed (SIGKILL) without warning. Then the database must open and pass its
check; every acknowledged transaction must be complete, the last one complete or absent, and so must each copy.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from worker.database import Database, open_database
from worker.database.sqlite import SQLite

KINDS = ("small", "import", "delete")
LARGE = 2000  # documents of an import
MAX_DELAY = 0.25  # seconds from the first acknowledgement to the kill
START = 0.5  # seconds from the start to a kill that may come before the first acknowledgement


def content(number: int) -> set[str]:
    """Return the keys that a transaction adds to the table of blocks."""
    kind = KINDS[number % len(KINDS)]
    size = {"small": 5, "import": LARGE, "delete": 0}[kind]
    return {f"{number:08}-{it:05}" for it in range(size)}


def write(folder: Path, first: int) -> None:
    """Commit numbered transactions, and print each number after the commit. Never returns."""
    database = open_database(folder)
    number = first
    while True:
        commit(database, number)
        print(number, flush=True)
        if number % 4 == 0:
            copy = folder / f"copy-{number}.part"
            database.backup(copy)
            copy.rename(folder / f"copy-{number}.db")
        number += 1


def commit(database: Database, number: int) -> None:
    """Commit transaction ``number``: blocks, their orders and an event. A deletion undoes the import before it."""
    with database.transaction("test", by="kill", at=datetime.now(UTC)) as change:
        keys = content(number)
        database.documents("blocks").put(
            {key: {"first_seen": str(number), "note": "x" * 200} for key in keys}
        )
        database.documents("orders").put({key: {"block": key} for key in keys})
        deleted = content(number - 1) if KINDS[number % len(KINDS)] == "delete" else set()
        database.documents("blocks").delete(deleted)
        database.documents("orders").delete(deleted)
        database.documents("counts").put({"newest": {"number": number}})
        change.entries[str(number)] = "written"


@dataclass
class Totals:
    """Totals of all kills."""

    kills: int = 0
    promised: int = 0
    unacknowledged: int = 0  # transactions that were durable but not acknowledged
    copies: int = 0
    unfinished_copies: int = 0


def verify(database: Database, number: int) -> None:
    """Raise AssertionError unless the database contains exactly the transactions 1 to ``number``."""
    database.engine.check()
    expected: set[str] = set()
    for it in range(1, number + 1):
        expected |= content(it)
        if KINDS[it % len(KINDS)] == "delete":
            expected -= content(it - 1)
    newest = database.documents("counts").find("newest")
    assert (newest or {"number": 0})["number"] == number, f"{newest}, expected {number}"
    for table in ("blocks", "orders"):
        found = {str(document.doc_id) for document in database.documents(table)}
        assert found == expected, f"{table}: {len(found - expected)} too many, {len(expected - found)} lost"
    assert [event.sequence for event in database.events()] == list(range(1, number + 1))


def kill_once(folder: Path, newest: int, rng: random.Random, found: Totals) -> int:
    """Start a writer after transaction ``newest``, kill it, verify, and return the newest durable transaction.

    Raises AssertionError.
    """
    command = [sys.executable, str(Path(__file__).resolve()), "--write", str(folder), str(newest + 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        early = rng.random() < 0.2
        lines = [] if early else [writer.stdout.readline()]
        time.sleep(rng.uniform(0, START if early else MAX_DELAY))
        writer.kill()
        lines += writer.stdout.readlines()
    promised = [int(line) for line in lines if line.endswith("\n")]
    acknowledged = newest + len(promised)
    assert promised == list(range(newest + 1, acknowledged + 1)), "the writer failed"

    with open_database(folder) as database:
        durable = int((database.documents("counts").find("newest") or {"number": 0})["number"])
        assert durable in (acknowledged, acknowledged + 1), f"{acknowledged} promised, {durable} there"
        verify(database, durable)
    for copy in folder.glob("copy-*.db"):
        with Database(SQLite(copy)) as database:
            verify(database, int(copy.stem.removeprefix("copy-")))
        found.copies += 1
        copy.unlink()
    for part in folder.glob("copy-*.part*"):
        found.unfinished_copies += 1
        part.unlink()
    found.kills += 1
    found.promised += len(promised)
    found.unacknowledged += durable - acknowledged
    return durable


def kill(folder: Path, times: int, seed: int) -> Totals:
    """Kill so many writers, one after the other, on the same database. Raises AssertionError."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    found, newest = Totals(), 0
    for _ in range(times):
        newest = kill_once(folder, newest, rng, found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=1000, help="how often to kill")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", nargs=2, metavar=("FOLDER", "NUMBER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write(Path(arguments.write[0]), int(arguments.write[1]))
    seed, left, total = arguments.seed, arguments.times, Totals()
    while left > 0:  # new databases, so that the creation of a database is killed, too
        batch = min(left, 20)
        with tempfile.TemporaryDirectory() as name:
            found = kill(Path(name), batch, seed)
        for field in vars(total):
            setattr(total, field, getattr(total, field) + getattr(found, field))
        print(
            f"{total.kills} kills, {total.promised} transactions promised and all there, {total.unacknowledged} more "
            f"durable, {total.copies} copies whole, {total.unfinished_copies} unfinished",
            flush=True,
        )
        seed, left = seed + 1, left - batch


if __name__ == "__main__":
    main()
