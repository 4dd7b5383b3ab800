"""The summary of the week: on the chosen day, once, and only if there is something to say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sellers import EMAIL

from worker.app import App
from worker.block_list.model import Sighting
from worker.notifications import Destinations, Queue
from worker.notifications.summary import summarise_week
from worker.owner.preferences import change_preferences

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def queue(app: App) -> Queue:
    Destinations(app.database, app.sealer).add_mailbox(EMAIL)
    return Queue(app.database)


def opt_outs(app: App, number: int, at: datetime) -> None:
    app.block_list.record(
        [
            Sighting(
                account=EMAIL,
                message_id=f"{at:%d%H}-{it}@x",
                received_at=at,
                address=f"buyer{at:%d%H}{it:05d}@marketplace.amazon.{'it' if it % 3 else 'de'}",
                marketplace=f"amazon.{'it' if it % 3 else 'de'}",
            )
            for it in range(number)
        ]
    )


def texts(app: App, queue: Queue) -> list[str]:
    [destination] = Destinations(app.database, app.sealer).all()
    return [it.text for it in queue.waiting(destination.id, limit=100)]


def test_it_says_who_opted_out_where_and_what_waits(app: App, queue: Queue) -> None:
    opt_outs(app, 5, MONDAY - timedelta(days=8))
    opt_outs(app, 6, MONDAY - timedelta(days=2))
    assert summarise_week(app, queue, lambda: ["The disk is full."], now=MONDAY)
    [text] = texts(app, queue)
    assert "6 buyers opted out: 4 on amazon.it, 2 on amazon.de." in text
    assert "11 buyers" in text
    assert "Needs you: The disk is full." in text
    assert "http://localhost:8000" in text


def test_it_is_sent_once_and_a_later_one_begins_where_it_ended(app: App, queue: Queue) -> None:
    opt_outs(app, 1, MONDAY - timedelta(days=1))
    assert summarise_week(app, queue, list, now=MONDAY)
    assert not summarise_week(app, queue, list, now=MONDAY + timedelta(hours=2))
    opt_outs(app, 2, MONDAY + timedelta(hours=1))
    assert summarise_week(app, queue, list, now=MONDAY + timedelta(days=7))
    assert ["1 buyer opted out" in it for it in texts(app, queue)] == [True, False]
    assert "2 buyers opted out" in texts(app, queue)[1]


def test_nothing_is_sent_about_a_week_without_news(app: App, queue: Queue) -> None:
    opt_outs(app, 3, MONDAY - timedelta(days=30))
    assert not summarise_week(app, queue, list, now=MONDAY)
    assert texts(app, queue) == []


@pytest.mark.parametrize(
    ("day", "now", "sent"),
    [
        (0, MONDAY, True),
        (0, MONDAY.replace(hour=7, minute=59), False),
        (0, MONDAY + timedelta(days=1), False),
        (6, MONDAY - timedelta(days=1), True),
        (None, MONDAY, False),
        # Monday evening in London is Tuesday morning in Tokyo.
        (1, datetime(2026, 11, 24, 9, tzinfo=timezone(timedelta(hours=9))), True),
    ],
)
def test_the_owner_chooses_the_day_and_gets_it_in_the_morning(
    app: App, queue: Queue, day: int | None, now: datetime, sent: bool
) -> None:
    change_preferences(app.database, lambda it: replace(it, summary_day=day))
    opt_outs(app, 1, now - timedelta(days=2))
    assert summarise_week(app, queue, list, now=now) is sent
