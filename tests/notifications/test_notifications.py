"""The owner is notified of problems, each once, in a mailbox and by messengers."""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from clocks import START, FakeClock
from messengers_stand_in import StandIn, standing_in
from sellers import EMAIL

from oauth_web.demo.sandbox import Fault, Sandbox
from signing_in import sign_in
from worker.app import App
from worker.errors import UsageError
from worker.gmail.wanted import QUEUE
from worker.notifications import Destination, Destinations, Notification, Queue, notify_due, send_test
from worker.notifications.destinations import MAX_WAIT
from worker.notifications.queue import MAX_AGE
from worker.operation.alerts import LOOKS, Alerts
from worker.operation.health import MANY_FAILURES, Problem, health

MANY = 100
PROBLEM = Problem("disk", "", "The disk is nearly full: 53 MB are left.")
TOKENS = {
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
    "tgram": "tgram://123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI/12315544/",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV-js",
}
SECRETS = ("TIiajkdnlazkcOXrIdevi7FQ", "abcdefghijklmnopqrstuvwxyzABCDEFGHI", "JHMHI8qBe7bk2ZwO5U711o3dV-js")


@pytest.fixture
def destinations(app: App) -> Destinations:
    return Destinations(app.database, app.sealer)


@pytest.fixture
def queue(app: App) -> Queue:
    return Queue(app.database)


@pytest.fixture
def deliver(app: App, destinations: Destinations, queue: Queue) -> Callable[[], int]:
    return lambda: notify_due(app, destinations, queue)


@pytest.fixture
def messengers(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Slack, Telegram and Discord on this machine, none of them in need of a pause between two messages."""
    from apprise.plugins import discord, slack, telegram  # noqa: PLC0415 - takes a while

    with standing_in() as stand_in:
        monkeypatch.setattr(slack.NotifySlack, "webhook_url", f"{stand_in.url}/services")
        monkeypatch.setattr(telegram.NotifyTelegram, "notify_url", f"{stand_in.url}/bot")
        monkeypatch.setattr(discord.NotifyDiscord, "notify_url", f"{stand_in.url}/api/webhooks")
        for plugin in (slack.NotifySlack, telegram.NotifyTelegram, discord.NotifyDiscord):
            monkeypatch.setattr(plugin, "request_rate_per_sec", 0)
        yield stand_in


def news(number: int, at: str = "2026-11-23T10:00:00Z") -> Notification:
    return Notification(
        id=f"news-{number:04d}", title=f"News {number:04d}", text=f"Text {number:04d}.", at=at
    )


def inbox(app: App) -> list[str]:
    """Return the subjects of the mails from the owner to the owner that are unread in the inbox, oldest first."""
    mailbox = app.passes.mailbox(EMAIL)
    found = [ref for page in mailbox.find(query="in:inbox is:unread") for ref in page]
    mails = [message_from_bytes(it.raw, policy=default) for it in mailbox.read(reversed(found))]
    return [str(it["Subject"]) for it in mails if EMAIL in it["To"] and EMAIL in it["From"]]


def test_a_problem_that_stays_is_told_once_in_the_mailbox_and_by_the_messenger(
    app: App,
    destinations: Destinations,
    queue: Queue,
    deliver: Callable[[], int],
    messengers: StandIn,
) -> None:
    destinations.add_mailbox(EMAIL)
    destinations.add_messenger(f"ntfy://127.0.0.1:{messengers.port}/topic")
    alerts = Alerts(app.database, queue)
    for _ in range(LOOKS + 10):
        alerts.look([PROBLEM], app.clock.now())
        deliver()
    assert inbox(app) == ["buyerblock: something needs you"]
    assert len(messengers.taken) == 1
    assert "The disk is nearly full" in messengers.taken[0][1]


def test_a_mail_of_ours_is_no_notice_to_us(
    app: App, destinations: Destinations, queue: Queue, deliver: Callable[[], int], google: Sandbox
) -> None:
    app.passes.run(EMAIL)
    destinations.add_mailbox(EMAIL)
    text = (
        "Since 16 November, 12 buyers opted out: 12 on amazon.it.\n\nUnder Review, 3 mails to decide about."
    )
    queue.put(
        Notification(
            id="summary", title="buyerblock: the week in short", text=text, at="2026-11-23T10:00:00Z"
        )
    )
    assert deliver() == 1
    report = app.passes.run(EMAIL, existing=True)
    assert (report.opt_outs, report.suspects) == (0, 0)
    [labels] = google.mailbox(EMAIL).values()
    assert set(labels) == {"INBOX", "UNREAD"}
    assert QUEUE not in labels


def test_an_answer_that_is_lost_puts_no_second_mail_into_the_inbox(
    app: App,
    destinations: Destinations,
    queue: Queue,
    deliver: Callable[[], int],
    google: Sandbox,
    clock: FakeClock,
) -> None:
    destinations.add_mailbox(EMAIL)
    queue.put(news(1), news(2))
    lost = iter([Fault(cut="after")])
    google.fault = lambda _number, method, _email: next(lost, None) if method == "messages.insert" else None
    assert deliver() == 0
    assert destinations.all()[0].problem
    assert deliver() == 0, "it is not due yet"
    clock.advance(MAX_WAIT.total_seconds())
    assert deliver() == 2
    assert inbox(app) == ["News 0001", "News 0002"]
    assert destinations.all()[0].problem == ""


def test_a_program_that_is_killed_after_a_mail_puts_it_there_once(
    app: App,
    destinations: Destinations,
    queue: Queue,
    deliver: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    destinations.add_mailbox(EMAIL)
    queue.put(news(1))
    with monkeypatch.context() as patch:
        patch.setattr(Queue, "remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            deliver()
    assert deliver() == 1
    assert inbox(app) == ["News 0001"]


def test_many_news_reach_each_messenger_once_in_order_and_no_token_reaches_a_log(
    destinations: Destinations,
    queue: Queue,
    deliver: Callable[[], int],
    messengers: StandIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    for url in (*TOKENS.values(), f"ntfy://127.0.0.1:{messengers.port}/topic"):
        destinations.add_messenger(url)
    queue.put(*map(news, range(MANY)))
    messengers.status = 500
    assert deliver() == 0
    messengers.status = 200
    for destination in destinations.all():
        destinations.update(destination, destination.after_try("", START))
    while deliver():
        pass
    by_service: dict[str, list[str]] = {}
    for path, body in messengers.taken:
        by_service.setdefault(path.split("/")[1][:3], []).extend(re.findall(r"News \d{4}", body)[:1])
    everything = [f"News {number:04d}" for number in range(MANY)]
    assert by_service == dict.fromkeys(by_service, everything)
    assert len(by_service) == 4
    assert caplog.text.count("was not taken") == 4
    assert not any(secret in caplog.text for secret in SECRETS)
    assert not any(secret in it.problem for it in destinations.all() for secret in SECRETS)


def test_one_that_is_away_delays_nobody_and_what_is_old_is_dropped(
    destinations: Destinations,
    queue: Queue,
    deliver: Callable[[], int],
    messengers: StandIn,
    clock: FakeClock,
) -> None:
    destinations.add_messenger(TOKENS["slack"])
    at = clock.now().isoformat()
    queue.put(news(1, at))
    messengers.status = 404
    assert deliver() == 0
    assert destinations.all()[0].problem == "Slack answered with status 404."
    destinations.add_messenger(f"ntfy://127.0.0.1:{messengers.port}/topic")
    queue.put(news(2, at))
    messengers.status = 200
    assert deliver() == 1
    clock.advance(MAX_AGE.total_seconds() + 1)
    assert deliver() == 0
    assert len(messengers.taken) == 1


def test_one_that_fails_for_an_hour_is_a_problem_of_its_own(
    app: App,
    destinations: Destinations,
    queue: Queue,
    deliver: Callable[[], int],
    messengers: StandIn,
    clock: FakeClock,
) -> None:
    destinations.add_messenger(TOKENS["discord"])
    queue.put(news(1, clock.now().isoformat()))
    messengers.status = 500
    for _ in range(MANY_FAILURES):
        assert "notifications" not in {it.kind for it in health(app, clock.now()).problems}
        deliver()
        clock.advance(MAX_WAIT.total_seconds())
    [problem] = [it for it in health(app, clock.now()).problems if it.kind == "notifications"]
    assert problem.sentence.startswith("Discord does not take notifications")
    destinations.remove(destinations.all()[0].id)
    assert "notifications" not in {it.kind for it in health(app, clock.now()).problems}


@pytest.mark.parametrize(
    "url", ["", "nonsense", "https://", "slack://", "syslog://", "macosx://", "dbus://", "x" * 5000]
)
def test_what_is_no_messenger_is_refused_without_repeating_it(destinations: Destinations, url: str) -> None:
    with pytest.raises(UsageError, match="no address of a messenger"):
        destinations.add_messenger(url)


def test_who_shares_a_machine_reaches_no_server_in_its_network(
    app: App, destinations: Destinations, messengers: StandIn
) -> None:
    shared = replace(app, shared=True)
    inside = destinations.add_messenger(f"json://127.0.0.1:{messengers.port}/")
    assert send_test(shared, inside).startswith("JSON cannot be used here; take discord")
    assert messengers.taken == []
    assert send_test(shared, destinations.add_messenger(TOKENS["slack"])) == ""


def test_nobody_is_told_twice(destinations: Destinations) -> None:
    destinations.add_mailbox(EMAIL)
    destinations.add_messenger(TOKENS["slack"])
    with pytest.raises(UsageError, match="gets notifications already"):
        destinations.add_mailbox(EMAIL)
    with pytest.raises(UsageError, match="gets notifications already"):
        destinations.add_messenger(TOKENS["slack"])


def test_a_mailbox_is_told_under_its_new_address_and_no_more_once_it_is_disconnected(
    app: App, destinations: Destinations, deliver: Callable[[], int], google: Sandbox, tmp_path: Path
) -> None:
    app.passes.run(EMAIL)
    destinations.add_mailbox(EMAIL)
    google.user(EMAIL).change_address("new.name@gmail.com")
    app.connect(sign_in(google, tmp_path, "new.name@gmail.com"))
    assert [it.name for it in destinations.all()] == ["new.name@gmail.com"]
    app.disconnect("new.name@gmail.com")
    deliver()
    assert destinations.all() == []


def test_addresses_are_sealed(app: App, destinations: Destinations) -> None:
    destinations.add_messenger(TOKENS["discord"])
    stored = str(list(app.database.documents("destinations").all()))
    assert SECRETS[2] not in stored
    assert SECRETS[2] not in repr(destinations.all())
    assert destinations.all()[0].url == TOKENS["discord"]


def test_a_test_says_what_became_of_it(
    app: App, destinations: Destinations, messengers: StandIn, google: Sandbox, clock: FakeClock
) -> None:
    def after_try(destination: Destination) -> str:
        clock.advance(1)
        return send_test(app, destination)

    mailbox = destinations.add_mailbox(EMAIL)
    assert after_try(mailbox) == ""
    assert inbox(app) == ["buyerblock: a test"]
    slack = destinations.add_messenger(TOKENS["slack"])
    assert after_try(slack) == ""
    messengers.status = 403
    assert after_try(slack) == "Slack answered with status 403."
    assert after_try(destinations.add_messenger("ntfy://127.0.0.1:9/topic")) == "ntfy could not be reached."
    google.user(EMAIL).revoke()
    app.passes.forget(EMAIL)
    assert "sign in" in after_try(mailbox)
