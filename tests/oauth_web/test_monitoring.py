"""What monitors are told, and who is told why."""

from datetime import timedelta

import pytest
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import OWNER

from oauth_web.services import HEALTH_KEPT_FOR, CachedHealth, Services
from worker.app import App
from worker.operation.health import Health
from worker.problems import Cause, MailboxProblem

ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def monitor(web: Flask, services: Services, clock: FakeClock) -> FlaskClient:
    """A program with a token of the API."""
    client = web.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {services.tokens.create('monitor', now=clock.now())}"
    return client


@pytest.fixture
def dead(engine: App, account: str) -> str:
    """An account that has to sign in again."""
    engine.accounts.update(account, state="sign_in_again", problem=MailboxProblem(Cause.SIGN_IN_NOT_ACCEPTED))
    return account


def test_all_is_well(monitor: FlaskClient) -> None:
    answer = monitor.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (200, {"ready": True, "reasons": []})


def test_a_program_with_a_token_is_told_what_is_wrong(monitor: FlaskClient, dead: str) -> None:
    answer = monitor.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {"ready": False, "reasons": [f"{dead}: {Cause.SIGN_IN_NOT_ACCEPTED.value}"]}


@pytest.mark.parametrize(
    "how", [{}, {"environ_overrides": ELSEWHERE}, {"headers": {"X-Forwarded-For": "203.0.113.9"}}], ids=str
)
def test_others_learn_that_something_is_wrong_and_no_more(
    stranger: FlaskClient, dead: str, how: dict[str, dict[str, str]]
) -> None:
    answer = stranger.get("/readyz", **how)
    assert answer.status_code == 503
    assert answer.get_json() == {"ready": False, "reasons": None}
    closed = stranger.get("/metrics", **how)
    assert closed.status_code == 401
    assert dead not in closed.text
    assert "buyerblock_blocks" not in closed.text


def test_owners_and_programs_with_a_token_are_told_from_anywhere(
    owner: FlaskClient, monitor: FlaskClient, services: Services, dead: str
) -> None:
    assert dead in owner.get("/readyz", environ_overrides=ELSEWHERE).text
    assert dead in monitor.get("/metrics", environ_overrides=ELSEWHERE).text
    services.tokens.revoke("monitor")
    assert monitor.get("/metrics", environ_overrides=ELSEWHERE).status_code == 401


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/api/v1/blocks"])
def test_wrong_tokens_cannot_be_tried_for_ever_and_stop_no_program_with_a_right_one(
    stranger: FlaskClient, monitor: FlaskClient, path: str, clock: FakeClock
) -> None:
    wrong = {"Authorization": "Bearer buyerblock_wrong"}
    answers = [stranger.get(path, headers=wrong) for _ in range(30)]
    assert [it.status_code for it in answers[20:]] == [429] * 10
    assert 429 not in [it.status_code for it in answers[:20]]
    assert monitor.get(path).status_code == 200
    clock.advance(60)
    assert stranger.get(path, headers=wrong).status_code != 429


@pytest.mark.parametrize("shown", ["Bearer buyerblock_wrong", "Bearer", "Basic YTpi", "Bearer é"])
def test_a_token_that_is_none_opens_nothing(stranger: FlaskClient, shown: str, dead: str) -> None:
    headers = {"Authorization": shown}
    answer = stranger.get("/metrics", headers=headers, environ_overrides=ELSEWHERE)
    assert answer.status_code == 401
    assert dead not in answer.text


def test_prometheus_reads_what_it_understands(monitor: FlaskClient, blocked: str, account: str) -> None:
    answer = monitor.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert "buyerblock_ready 1.0" in lines
    assert "buyerblock_blocks 1.0" in lines
    assert f'buyerblock_signed_in{{account="{account}"}} 1.0' in lines
    assert blocked not in answer.text


def test_what_the_process_counts_is_there_too(monitor: FlaskClient, engine: App) -> None:
    engine.passes._outcomes.counted.update(
        {("passes", "good"): 3, ("passes", "problem"): 1, ("units", ""): 60}
    )

    lines = monitor.get("/metrics").text.splitlines()
    assert 'buyerblock_passes_total{outcome="good"} 3.0' in lines
    assert 'buyerblock_passes_total{outcome="problem"} 1.0' in lines
    assert "buyerblock_quota_units_total 60.0" in lines


def test_strangers_cannot_keep_the_disk_busy(clock: FakeClock) -> None:
    looks: list[Health] = []

    def look() -> Health:
        looks.append(Health(()))
        return looks[-1]

    cached = CachedHealth(look, clock.monotonic)
    assert [cached.get() for _ in range(100)] == [looks[0]] * 100
    clock.pause(HEALTH_KEPT_FOR)
    assert cached.get() is looks[1]


def test_a_late_pass_shows(monitor: FlaskClient, engine: App, clock: FakeClock, account: str) -> None:
    engine.accounts.update(account, last_good_pass=clock.now() - timedelta(hours=5))
    answer = monitor.get("/readyz")
    assert answer.status_code == 503
    assert f"{OWNER}: The last good pass began on" in answer.get_json()["reasons"][0]
