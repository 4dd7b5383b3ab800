"""A page of a long list reads no more of the database than a page of a short one."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from clocks import FakeClock
from flask.testing import FlaskClient
from people import OWNER

from oauth_web.services import HEALTH_KEPT_FOR
from worker.app import App
from worker.block_list import listing
from worker.block_list.model import Sighting
from worker.block_list.review import ReviewItem
from worker.database.engine import Row
from worker.notices.doubts import Doubt, Reason

SHORT, LONG = 240, 2010  # whole pages, so that the last one is full as well
PATHS = [
    *("/", "/live", "/setup", "/settings", "/settings/general", "/import", "/review"),
    *("/blocks", "/blocks?page=99999", "/blocks?page=3&order=up"),
    *(f"/blocks?sort={sort}" for sort in ("last_seen", "key", "notices")),
    *("/blocks?marketplace=amazon.de", "/blocks?reason=opted_out", f"/blocks?account={OWNER}&page=99999"),
    *("/blocks?reason=manual", "/blocks?account=nobody@gmail.com", "/blocks?q=buyer", "/blocks?q=0000000007"),
    *("/blocks?q=406-0000007-7654321", "/block?key=406-0000007-7654321"),
    *("/did-not-arrive", "/did-not-arrive?page=99999"),
    *(
        "/api/v1/blocks?limit=50",
        "/api/v1/blocks?limit=50&since=2026-01-01",
        "/api/v1/blocks?limit=50&q=buyer",
    ),
    f"/api/v1/blocks?limit=50&account={OWNER}&reason=opted_out",
    "/api/v1/blocks?limit=50&cursor=2026-11-20T00:00:00Z_406-1234508-7654301",
    "/api/v1/blocks/406-0000007-7654321",
]


class CountedRows:
    """Counts the rows that the database returns."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        engine = app.database.engine
        rows, walk = engine.rows, engine.walk

        def counted_rows(sql: str, parameters: Sequence[object] = ()) -> list[Row]:
            found = rows(sql, parameters)
            self.number += len(found)
            return found

        def counted_walk(sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
            for row in walk(sql, parameters):
                self.number += 1
                yield row

        monkeypatch.setattr(engine, "rows", counted_rows)
        monkeypatch.setattr(engine, "walk", counted_walk)

    def of(self, browser: FlaskClient, path: str) -> int:
        before = self.number
        assert browser.get(path).status_code == 200, path
        return self.number - before


def fill(app: App, clock: FakeClock, numbers: range) -> None:
    received = [clock.now() - timedelta(hours=number % 100) for number in numbers]
    app.block_list.record(
        [
            Sighting(
                account=OWNER,
                message_id=f"{number}@eu-west-1.amazonses.com",
                received_at=moment,
                address=f"buyer{number:010d}@marketplace.amazon.it",
                order_id=f"406-{number:07d}-7654321",
                marketplace="amazon.de" if number % 2 else "amazon.it",
            )
            for number, moment in zip(numbers, received, strict=True)
        ]
    )
    app.review.add(
        ReviewItem(
            account=OWNER,
            gmail_id=f"{number:x}",
            message_id=f"{number}@example.com",
            received_at=moment,
            reason=Reason(Doubt.DMARC_FAILED),
        )
        for number, moment in zip(numbers, received, strict=True)
    )


@pytest.mark.usefixtures("account")
def test_every_page_reads_as_many_rows_of_a_long_list_as_of_a_short_one(
    owner: FlaskClient, engine: App, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_FEW", 100)  # so many are sorted by their keys, so many rows may be read
    counted = CountedRows(engine, monkeypatch)
    fill(engine, clock, range(SHORT))
    short = {path: counted.of(owner, path) for path in PATHS}
    fill(engine, clock, range(SHORT, LONG))
    clock.advance(HEALTH_KEPT_FOR)
    assert {path: counted.of(owner, path) for path in PATHS} == short
    assert max(short.values()) < SHORT
