"""Measure every page at the server with 100,000 blocks, as they are and right after the list has changed.

For the search, SQLite's answer to the same question stands beside it, without a page around it.
"""

import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask.testing import FlaskClient

from oauth_web.application import create_app, warm_up
from oauth_web.listing import PER_PAGE
from oauth_web.services import NAME
from worker.app import App, build_app
from worker.block_list.model import Sighting
from worker.settings import Settings

BLOCKS = 100_000
WANTED = 150.0  # milliseconds
ROUNDS = 7
OWNER = "seller@gmail.com"
PAGES = (
    *("/", "/live", "/blocks", "/blocks?page=1000", "/blocks?q=b0000", "/blocks?q=nobody&part=table"),
    *("/blocks?marketplace=amazon.de&sort=last_seen", "/blocks?sort=buyer&order=up", "/blocks?sort=notices"),
    *("/block?key=b00000000000077@marketplace.amazon.it", "/did-not-arrive", "/did-not-arrive?page=500"),
    *("/review", "/import", "/settings", "/setup"),
)
SEARCH = "/blocks?q=b0000"


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = build_app(Settings(data_dir=folder, client_secrets=folder / "client_secret.json"))
        now = datetime.now(UTC)
        app.block_list.record([sighting(n, now) for n in range(BLOCKS)])
        page = create_app(app)
        warm_up(page)
        services = page.extensions[NAME]
        services.owners.claim(OWNER)
        services.sessions.put("benchmark", {"owner": OWNER}, new=True)
        browser = page.test_client()
        browser.set_cookie("buyerblock", "benchmark", domain="localhost")
        times = {path: measured(app, browser, path) for path in PAGES}
        search = statistics.median(times[SEARCH])
        theirs = beside(now)
    for path, took in times.items():
        print(f"  {path}: {statistics.median(took):.1f} ms, worst {max(took):.1f} ms")
    worst = max(max(took) for took in times.values())
    print(f"{len(PAGES)} pages, {BLOCKS:,} blocks: worst {worst:.0f} ms; wanted {WANTED:.0f} ms")
    print(f"  SQLite's search, without a page: {theirs:.1f} ms (ours takes {search / theirs:.1f} times that)")


def sighting(n: int, now: datetime) -> Sighting:
    return Sighting(
        account=OWNER,
        message_id=f"{n}@eu-west-1.amazonses.com",
        received_at=now - timedelta(minutes=10 * n),
        address=address(n),
        order_id=order(n),
        marketplace="amazon.it" if n % 3 else "amazon.de",
    )


def address(n: int) -> str:
    return f"b{n:014d}@marketplace.amazon.it"


def order(n: int) -> str:
    return f"406-{n:07d}-1234567"


def measured(app: App, browser: FlaskClient, path: str) -> list[float]:
    """Return the milliseconds of some requests; before every other one the list has changed."""
    took = []
    for number in range(ROUNDS):
        if number % 2:
            app.block_list.block([order(BLOCKS + number)], by="benchmark")
        started = time.perf_counter()
        answer = browser.get(path)
        took.append((time.perf_counter() - started) * 1000)
        assert answer.status_code == 200, path
        if number % 2:
            app.block_list.unblock(order(BLOCKS + number), by="benchmark")
    return took


def beside(now: datetime) -> float:
    """Return the median milliseconds in which SQLite finds the same page and counts what was found."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE blocks (text TEXT, first_seen TEXT)")
    database.executemany(
        "INSERT INTO blocks VALUES (?, ?)",
        ((f"{address(n)} {order(n)}", (now - timedelta(minutes=10 * n)).isoformat()) for n in range(BLOCKS)),
    )
    database.execute("CREATE INDEX by_time ON blocks (first_seen)")
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        database.execute("SELECT count(*) FROM blocks WHERE text LIKE '%b0000%'").fetchone()
        database.execute(
            "SELECT * FROM blocks WHERE text LIKE '%b0000%' ORDER BY first_seen DESC LIMIT ?", (PER_PAGE,)
        ).fetchall()
        took.append((time.perf_counter() - started) * 1000)
    database.close()
    return statistics.median(took)


if __name__ == "__main__":
    main()
