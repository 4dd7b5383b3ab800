"""Kill programs that write to the database, at random moments, and look whether anything they promised is lost.

    python3 scripts/kill_the_program.py [--times 1000]

Each program commits transactions over several tables, large imports and deletions, and copies the database meanwhile.
It says so after each commit, and is killed (SIGKILL) without warning. Then the database has to open and pass its
check, every promised transaction has to be there as a whole, of the one that was under way all or nothing, and a copy
has to be whole or absent.
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
MAX_DELAY = 0.25  # seconds from the first promise to the kill
START = 0.5  # seconds from the start to a kill that may come before the first promise


def content(number: int) -> set[str]:
    """Return the keys that a transaction leaves in the table of blocks."""
    kind = KINDS[number % len(KINDS)]
    size = {"small": 5, "import": LARGE, "delete": 0}[kind]
    return {f"{number:08}-{it:05}" for it in range(size)}


def write(folder: Path, first: int) -> None:
    """Commit one numbered transaction after another, and print each number once it is durable. Never returns."""
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
    """Make transaction ``number``: blocks, the order of each, and an event; a deletion undoes the import before it."""
    with database.transaction("test", by="kill", at=datetime.now(UTC)) as change:
        keys = content(number)
        database.documents("blocks").put(
            {key: {"first_seen": str(number), "note": "x" * 200} for key in keys}
        )
        database.documents("orders").put({key: {"block": key} for key in keys})
        gone = content(number - 1) if KINDS[number % len(KINDS)] == "delete" else set()
        database.documents("blocks").delete(gone)
        database.documents("orders").delete(gone)
        database.documents("counts").put({"newest": {"number": number}})
        change.entries[str(number)] = "written"


@dataclass
class Found:
    """What killing has shown so far."""

    kills: int = 0
    promised: int = 0
    more: int = 0  # transactions that were durable before they were promised
    copies: int = 0
    unfinished_copies: int = 0


def verify(database: Database, number: int) -> None:
    """Raise AssertionError unless the database holds transactions 1 to ``number``, and nothing else."""
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


def kill_once(folder: Path, newest: int, chance: random.Random, found: Found) -> int:
    """Start a writer after transaction ``newest``, kill it, verify, and return the number of the newest transaction.

    Raises AssertionError.
    """
    command = [sys.executable, str(Path(__file__).resolve()), "--write", str(folder), str(newest + 1)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        early = chance.random() < 0.2
        lines = [] if early else [writer.stdout.readline()]
        time.sleep(chance.uniform(0, START if early else MAX_DELAY))
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
    found.more += durable - acknowledged
    return durable


def kill(folder: Path, times: int, seed: int) -> Found:
    """Kill so many writers, each on the database that the one before it left. Raises AssertionError."""
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    found, newest = Found(), 0
    for _ in range(times):
        newest = kill_once(folder, newest, chance, found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=1000, help="how often to kill")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", nargs=2, metavar=("FOLDER", "NUMBER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write(Path(arguments.write[0]), int(arguments.write[1]))
    seed, left, total = arguments.seed, arguments.times, Found()
    while left > 0:  # a new database now and then, so that the first use is among what is killed
        some = min(left, 20)
        with tempfile.TemporaryDirectory() as name:
            found = kill(Path(name), some, seed)
        for field in vars(total):
            setattr(total, field, getattr(total, field) + getattr(found, field))
        print(
            f"{total.kills} kills, {total.promised} transactions promised and all there, {total.more} more durable, "
            f"{total.copies} copies whole, {total.unfinished_copies} unfinished",
            flush=True,
        )
        seed, left = seed + 1, left - some


if __name__ == "__main__":
    main()
