"""What monitors are told, and who is told why."""

from dataclasses import replace
from datetime import timedelta

import pytest
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import OWNER

from oauth_web.application import create_app
from oauth_web.services import HEALTH_KEPT_FOR, CachedHealth, Services
from worker.app import App
from worker.operation.health import Health
from worker.problems import Cause, MailboxProblem

ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def dead(engine: App, account: str) -> str:
    """An account that has to sign in again."""
    engine.accounts.update(account, state="sign_in_again", problem=MailboxProblem(Cause.SIGN_IN_NOT_ACCEPTED))
    return account


def test_all_is_well(stranger: FlaskClient) -> None:
    answer = stranger.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (200, {"ready": True, "reasons": []})


def test_this_machine_is_told_what_is_wrong(stranger: FlaskClient, dead: str) -> None:
    answer = stranger.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {"ready": False, "reasons": [f"{dead}: {Cause.SIGN_IN_NOT_ACCEPTED.value}"]}


@pytest.mark.parametrize(
    "how",
    [
        {"environ_overrides": ELSEWHERE},
        {"headers": {"X-Forwarded-For": "203.0.113.9"}},
        {"headers": {"Via": "1.1 proxy"}},
    ],
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


@pytest.mark.usefixtures("dead")
def test_behind_a_public_address_nobody_is_local(engine: App) -> None:
    settings = replace(engine.settings, public_url="https://blocks.example.com")
    client = create_app(replace(engine, settings=settings)).test_client()
    assert client.get("/readyz").get_json() == {"ready": False, "reasons": None}
    assert client.get("/metrics").status_code == 401


def test_owners_and_programs_with_a_token_are_told_from_anywhere(
    web: Flask, owner: FlaskClient, services: Services, clock: FakeClock, dead: str
) -> None:
    assert dead in owner.get("/readyz", environ_overrides=ELSEWHERE).text
    secret = services.tokens.create("monitor", now=clock.now())
    monitor = web.test_client()
    shown = {"Authorization": f"Bearer {secret}"}
    assert dead in monitor.get("/metrics", headers=shown, environ_overrides=ELSEWHERE).text
    services.tokens.revoke("monitor")
    assert monitor.get("/metrics", headers=shown, environ_overrides=ELSEWHERE).status_code == 401


@pytest.mark.parametrize("shown", ["Bearer buyerblock_wrong", "Bearer", "Basic YTpi", "Bearer é"])
def test_a_token_that_is_none_opens_nothing(stranger: FlaskClient, shown: str, dead: str) -> None:
    headers = {"Authorization": shown}
    answer = stranger.get("/metrics", headers=headers, environ_overrides=ELSEWHERE)
    assert answer.status_code == 401
    assert dead not in answer.text


def test_prometheus_reads_what_it_understands(stranger: FlaskClient, blocked: str, account: str) -> None:
    answer = stranger.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert "buyerblock_ready 1.0" in lines
    assert "buyerblock_blocks 1.0" in lines
    assert f'buyerblock_signed_in{{account="{account}"}} 1.0' in lines
    assert blocked not in answer.text


def test_what_the_process_counts_is_there_too(stranger: FlaskClient, engine: App) -> None:
    engine.passes._outcomes.counted.update(
        {("passes", "good"): 3, ("passes", "problem"): 1, ("units", ""): 60}
    )

    lines = stranger.get("/metrics").text.splitlines()
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


def test_a_late_pass_shows(stranger: FlaskClient, engine: App, clock: FakeClock, account: str) -> None:
    engine.accounts.update(account, last_good_pass=clock.now() - timedelta(hours=5))
    answer = stranger.get("/readyz")
    assert answer.status_code == 503
    assert f"{OWNER}: The last good pass began on" in answer.get_json()["reasons"][0]
