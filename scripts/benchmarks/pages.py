"""Measure every page at the server with 100,000 and 1,000,000 blocks, as they are and right after the list has changed.

600 mails wait under Review.

Beside the search and the pages it prints how long SQLite takes for the same answers without a page.
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

WANTED = {100_000: 30.0, 1_000_000: 50.0}  # milliseconds; of a million, save a search for a part of a word
ROUNDS = 7
REVIEWED = 600  # mails that wait for a decision
SEARCHES = ("/blocks?q=b0000", "/blocks?q=406-0000077", "/blocks?q=nobody&part=table", "/review?q=b0000")


def paths(size: int) -> Iterator[str]:
    """Yield the addresses of all pages that depend on the list."""
    last = -(-size // PER_PAGE)
    yield from ("/", "/live", "/review", "/review?group=forged&page=4", "/import", "/settings", "/setup")
    for sort in ("first_seen", "last_seen", "key", "notices"):
        for number in (1, last // 2, last):
            yield f"/blocks?sort={sort}&page={number}"
    for wanted in ("marketplace=amazon.de", f"marketplace={RARE}", "reason=opted_out", f"account={OWNER}"):
        yield f"/blocks?{wanted}"
        yield f"/blocks?{wanted}&sort=notices&order=up&page={last}"
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
    """Print the figures."""
    for size in WANTED:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            app = build_app(Settings(data_dir=folder, client_secrets=folder / "client_secret.json"))
            fill(app.block_list, size)
            fill_review(app.review, REVIEWED)
            measure(app, size)
            app.close()


def measure(app: App, size: int) -> None:
    """Print the figures of one list."""
    browser = signed_in(create_app(app), "benchmark")
    medians = report(app, browser, paths(size), f"{size:,} blocks", WANTED[size])
    for what, theirs, ours in beside(size, medians):
        print(f"  {what}: SQLite alone {theirs:.1f} ms (ours takes {ours / theirs:.1f} times that)")


def signed_in(page: Flask, session: str) -> FlaskClient:
    """Return the browser of an owner. session: its name."""
    services = page.extensions[NAME].of_session(session)
    services.owners.claim(OWNER)
    services.sessions.put(session, {"owner": OWNER}, new=True)
    browser = page.test_client()
    browser.set_cookie("buyerblock-8000", session, domain="localhost")
    return browser


def report(app: App, browser: FlaskClient, asked: Iterable[str], of: str, wanted: float) -> dict[str, float]:
    """Print what pages take; return the median milliseconds of each."""
    times = {path: measured(app, browser, path) for path in asked}
    print(f"\nPages with {of}: median, best and worst of {ROUNDS}, with a change before every other one")
    for path, took in times.items():
        print(f"  {statistics.median(took):8.1f} {min(took):8.1f} {max(took):8.1f} ms  {path}")
    medians = {path: statistics.median(took) for path, took in times.items()}
    slowest = max((path for path in medians if path not in SEARCHES), key=medians.__getitem__)
    print(f"{len(times)} pages: slowest {medians[slowest]:.0f} ms ({slowest}); wanted {wanted:.0f} ms")
    searched = max(medians[path] for path in SEARCHES)
    print(f"  searches for a part of a word: slowest {searched:.0f} ms", flush=True)
    return medians


def measured(app: App, browser: FlaskClient, path: str) -> list[float]:
    """Return the milliseconds of some requests; before every other one the list has changed."""
    took = []
    for number in range(ROUNDS):
        buyer = f"changed{number:09d}@marketplace.amazon.it"
        if number % 2:
            now = datetime.now(UTC)
            notice = Sighting(account=OWNER, message_id=f"{number}@x", received_at=now, address=buyer)
            app.block_list.record([notice])
        took.append(milliseconds(lambda: ask(browser, path)))
        if number % 2:
            app.block_list.unblock(buyer, by="benchmark")
    return took


def ask(browser: FlaskClient, path: str) -> None:
    """Ask for a page."""
    assert browser.get(path).status_code == 200, path


def beside(size: int, medians: dict[str, float]) -> Iterator[tuple[str, float, float]]:
    """Yield a question, the median milliseconds in which SQLite answers it, and ours."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE blocks (text TEXT, first_seen INTEGER)")
    database.executemany(
        "INSERT INTO blocks VALUES (?, ?)", ((f"{address(n)} {order(n)}", size - n) for n in range(size))
    )
    database.execute("CREATE INDEX by_time ON blocks (first_seen)")
    middle = -(-size // PER_PAGE) // 2
    found = (
        "SELECT *, (SELECT count(*) FROM blocks WHERE instr(text, ?)) FROM blocks WHERE instr(text, ?) "
        "ORDER BY first_seen DESC LIMIT ?"
    )
    skipped = "SELECT * FROM blocks ORDER BY first_seen DESC LIMIT ? OFFSET ?"
    part = "406-0000077"
    for path, sql, parameters in (
        (f"/blocks?q={part}", found, (part, part, PER_PAGE)),
        (f"/blocks?sort=first_seen&page={middle}", skipped, (PER_PAGE, middle * PER_PAGE)),
    ):
        answer = partial(fetch, database, sql, parameters)
        took = [milliseconds(answer) for _ in range(ROUNDS)]
        yield path, statistics.median(took), medians[path]
    database.close()


def fetch(database: sqlite3.Connection, sql: str, parameters: tuple[object, ...]) -> None:
    """Read all that a query selects."""
    database.execute(sql, parameters).fetchall()


if __name__ == "__main__":
    main()
