"""Measure every page with 100,000 and 1,000,000 blocks and 600 mails under Review, unchanged and after a change.

The search and the paging are compared with SQLite for the same rows, without a page.
"""

import sqlite3
import statistics
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from benchmarks.filling import OWNER, RARE, address, fill, fill_review, milliseconds, order
from oauth_web.application import create_app
from oauth_web.pages.blocks import PER_PAGE
from oauth_web.services import NAME
from worker.app import App, build_app
from worker.block_list.model import Sighting
from worker.settings import Settings

TARGETS = {100_000: 30.0, 1_000_000: 50.0}  # milliseconds by blocks; not for the search
ROUNDS = 7
REVIEWED = 600  # mails that wait for a decision
SEARCHES = ("/blocks?q=b0000", "/blocks?q=406-0000077", "/blocks?q=nobody&part=table", "/review?q=b0000")


def paths(size: int) -> Iterator[str]:
    """Yield the paths of all pages that depend on the list."""
    last = -(-size // PER_PAGE)
    yield from ("/", "/live", "/review", "/review?group=forged&page=4", "/import", "/settings", "/setup")
    for sort in ("first_seen", "last_seen", "key", "notices"):
        for number in (1, last // 2, last):
            yield f"/blocks?sort={sort}&page={number}"
    for filters in ("marketplace=amazon.de", f"marketplace={RARE}", "reason=opted_out", f"account={OWNER}"):
        yield f"/blocks?{filters}"
        yield f"/blocks?{filters}&sort=notices&order=up&page={last}"
    yield f"/blocks?marketplace={RARE}&account=other@gmail.com"
    first, last_day = (f"{datetime.now(UTC) - timedelta(days=it):%Y-%m-%d}" for it in (700, 300))
    for dates in (
        f"from={first}",
        f"to={last_day}",
        f"from={first}&to={last_day}&reason=opted_out&sort=last_seen",
    ):
        yield f"/blocks?{dates}"
        yield f"/blocks?{dates}&page=300"
    yield from ("/blocks?reason=manual", "/blocks?marketplace=amazon.se", "/blocks?account=nobody@gmail.com")
    yield from (f"/blocks?q={order(77)}", f"/blocks?q={address(77)}", f"/block?key={address(77)}")
    yield from SEARCHES
    yield from (f"/did-not-arrive?page={number}" for number in (1, last // 2, last))
    yield from ("/api/v1/blocks?limit=100", f"/api/v1/blocks?limit=100&account={OWNER}")
    middle, day = datetime.now(UTC) - timedelta(days=550), datetime.now(UTC) - timedelta(days=1)
    yield f"/api/v1/blocks?limit=100&cursor={middle:%Y-%m-%dT%H:%M:%SZ}_{address(77)}"
    yield f"/api/v1/blocks?limit=100&since={day:%Y-%m-%d}&account={OWNER}"


def main() -> None:
    for size in TARGETS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            app = build_app(Settings(data_dir=folder, client_secrets=folder / "client_secret.json"))
            fill(app.block_list, size)
            fill_review(app.review, REVIEWED)
            measure(app, size)
            app.close()


def measure(app: App, size: int) -> None:
    browser = signed_in(create_app(app), "benchmark")
    medians = report(app, browser, paths(size), f"{size:,} blocks", TARGETS[size])
    for what, sqlite, ours in sqlite_times(size, medians):
        print(f"  {what}: SQLite alone {sqlite:.1f} ms (ours takes {ours / sqlite:.1f} times that)")


def signed_in(page: Flask, session: str) -> FlaskClient:
    """Return a test client that is signed in as owner. session: the name of the session."""
    services = page.extensions[NAME].of_session(session)
    services.owners.claim(OWNER)
    services.sessions.put(session, {"owner": OWNER}, new=True)
    browser = page.test_client()
    browser.set_cookie("buyerblock-8000", session, domain="localhost")
    return browser


def report(
    app: App, browser: FlaskClient, requested: Iterable[str], of: str, target: float
) -> dict[str, float]:
    """Print the times of pages; return the median milliseconds of each path."""
    times = {path: request_times(app, browser, path) for path in requested}
    print(f"\nPages with {of}: median, best and worst of {ROUNDS}, with a change before every other one")
    for path, each in times.items():
        print(f"  {statistics.median(each):8.1f} {min(each):8.1f} {max(each):8.1f} ms  {path}")
    medians = {path: statistics.median(each) for path, each in times.items()}
    slowest = max((path for path in medians if path not in SEARCHES), key=medians.__getitem__)
    print(f"{len(times)} pages: slowest {medians[slowest]:.0f} ms ({slowest}); wanted {target:.0f} ms")
    searched = max(medians[path] for path in SEARCHES)
    print(f"  searches for a part of a word: slowest {searched:.0f} ms", flush=True)
    return medians


def request_times(app: App, browser: FlaskClient, path: str) -> list[float]:
    """Return the milliseconds of some requests; the list changes before every other request."""
    times = []
    for number in range(ROUNDS):
        buyer = f"changed{number:09d}@marketplace.amazon.it"
        if number % 2:
            now = datetime.now(UTC)
            notice = Sighting(account=OWNER, message_id=f"{number}@x", received_at=now, address=buyer)
            app.block_list.record([notice])
        times.append(milliseconds(lambda: request(browser, path)))
        if number % 2:
            app.block_list.unblock(buyer, by="benchmark")
    return times


def request(browser: FlaskClient, path: str) -> None:
    assert browser.get(path).status_code == 200, path


def sqlite_times(size: int, medians: dict[str, float]) -> Iterator[tuple[str, float, float]]:
    """Yield a path, SQLite's median milliseconds for the same rows, and ours."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE blocks (text TEXT, first_seen INTEGER)")
    database.executemany(
        "INSERT INTO blocks VALUES (?, ?)", ((f"{address(n)} {order(n)}", size - n) for n in range(size))
    )
    database.execute("CREATE INDEX by_time ON blocks (first_seen)")
    middle = -(-size // PER_PAGE) // 2
    search_query = (
        "SELECT *, (SELECT count(*) FROM blocks WHERE instr(text, ?)) FROM blocks WHERE instr(text, ?) "
        "ORDER BY first_seen DESC LIMIT ?"
    )
    offset_query = "SELECT * FROM blocks ORDER BY first_seen DESC LIMIT ? OFFSET ?"
    part = "406-0000077"
    for path, sql, parameters in (
        (f"/blocks?q={part}", search_query, (part, part, PER_PAGE)),
        (f"/blocks?sort=first_seen&page={middle}", offset_query, (PER_PAGE, middle * PER_PAGE)),
    ):
        answer = partial(fetch, database, sql, parameters)
        times = [milliseconds(answer) for _ in range(ROUNDS)]
        yield path, statistics.median(times), medians[path]
    database.close()


def fetch(database: sqlite3.Connection, sql: str, parameters: tuple[object, ...]) -> None:
    database.execute(sql, parameters).fetchall()


if __name__ == "__main__":
    main()
