"""What one process of the page began another one ends: nothing that a browser needs stays in memory."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import open_start_link, post
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import GRANT, OWNER, settings_with

from oauth_web.application import create_app
from oauth_web.demo.sandbox import Sandbox
from worker.app import App, build_app
from worker.settings import Settings

BASE = "http://localhost:8000"
OTHER = "other@gmail.com"
ORDER = "111-1111111-1111111"


@pytest.fixture
def settings(tmp_path: Path, google: Sandbox) -> Settings:
    for email in (OWNER, OTHER):
        google.add_user(email)
    return settings_with(google, tmp_path)


@pytest.fixture
def second(settings: Settings, clock: FakeClock) -> Iterator[Flask]:
    """Another process of the page."""
    with closing(build_app(settings, clock)) as app:
        yield create_app(app)


@pytest.fixture
def seller(web: Flask, second: Flask, google: Sandbox) -> FlaskClient:
    """A browser that was sent to Google by the first process and came back to the second one."""
    return enter(open_start_link(web.test_client()), google, OWNER, then=second)


def test_a_new_permission_counts_in_every_process(engine: App, settings: Settings, clock: FakeClock) -> None:
    engine.accounts.connect(OWNER, GRANT, now=clock.now())
    before = engine.passes.mailbox(OWNER)
    assert engine.passes.mailbox(OWNER) is before
    with closing(build_app(settings, clock)) as another:
        another.accounts.connect(OWNER, replace(GRANT, refresh_token="another"), now=clock.now())
    assert engine.passes.mailbox(OWNER) is not before


def answered_by(client: FlaskClient, page: Flask) -> FlaskClient:
    """Return the same browser, whose requests another process answers."""
    other = page.test_client()
    other._cookies = client._cookies
    return other


def enter(
    client: FlaskClient, google: Sandbox, email: str, *, path: str = "/sign-in", then: Flask
) -> FlaskClient:
    sent = client.get(path, base_url=BASE)
    callback = urlsplit(google.consent(sent.headers["Location"], email=email))
    back = answered_by(client, then)
    assert back.get(f"{callback.path}?{callback.query}", base_url=BASE).status_code in {200, 303}
    return back


def between(text: str, before: str, after: str = '"') -> str:
    return text.split(before, 1)[1].split(after, 1)[0]


def test_a_sign_in_ends_where_it_did_not_begin(seller: FlaskClient, engine: App) -> None:
    assert seller.get("/blocks", base_url=BASE).status_code == 200
    assert engine.accounts.get(OWNER).state == "ok"


def test_an_import_is_previewed_by_one_process_and_applied_by_another(
    seller: FlaskClient, web: Flask, engine: App
) -> None:
    name = between(post(seller, "/import", text=ORDER).text, 'name="pending" value="')
    other = answered_by(seller, web)
    assert post(other, "/import/apply", pending=name).status_code == 303
    assert engine.block_list.check([ORDER])[0].blocked
    assert post(seller, "/import/apply", pending=name).status_code == 400, "it counts once, wherever"


def test_an_import_does_what_is_right_by_the_time_it_is_applied(
    seller: FlaskClient, web: Flask, engine: App
) -> None:
    name = between(post(seller, "/import", text=ORDER).text, 'name="pending" value="')
    engine.block_list.block([ORDER], by="test")
    engine.block_list.unblock(ORDER, by="test")
    post(answered_by(seller, web), "/import/apply", pending=name)
    assert not engine.block_list.check([ORDER])[0].blocked, "a person unblocked the buyer meanwhile"


def test_one_process_asks_whether_to_connect_a_mailbox_and_another_takes_the_answer(
    seller: FlaskClient, web: Flask, google: Sandbox, engine: App
) -> None:
    path = f"/sign-in?account={OWNER}"
    sent = seller.get(path, base_url=BASE)
    callback = urlsplit(google.consent(sent.headers["Location"], email=OTHER))
    asked = seller.get(f"{callback.path}?{callback.query}", base_url=BASE)
    name = between(asked.text, 'name="name" value="')
    assert engine.database.documents("pending").all()[0]["value"]["email"] == OTHER
    assert "refresh" not in str(engine.database.documents("pending").all()), "the permission is sealed"
    other = answered_by(seller, web)
    assert post(other, "/connect", name=name, yes="").status_code == 303
    assert {it.email for it in engine.accounts.all()} == {OWNER, OTHER}
