"""The page of a host: who gets a list of their own, and any process of it answers anybody."""

import html
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from browsing import csrf_token, post
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hosting import alias, notice
from oauth_web import application
from oauth_web.access.owners import Owners, Role
from oauth_web.demo.sandbox import Fault, Sandbox
from oauth_web.host import create_host_app
from worker.app import build_app
from worker.database.postgres_pool import Pool
from worker.database.schema import TABLES
from worker.errors import StorageError, TransientError
from worker.host.tenants import Tenants
from worker.mailbox_pass.progress import Progress
from worker.operation.restore import restore
from worker.owner.tokens import Tokens
from worker.settings import Settings

pytestmark = pytest.mark.postgres
BASE = "http://localhost:8000"
ANN, BOB, EVE = "ann@gmail.com", "bob@gmail.com", "eve@gmail.com"
KEY = "k4q8z1x7c3v9b2n@marketplace.amazon.it"

PASSPHRASE = "correct horse battery"

Enter = Callable[..., TestResponse]


@pytest.fixture
def tenants(
    empty_pool: Pool, host_settings: Settings, clock: FakeClock, google: Sandbox, tmp_path: Path
) -> Iterator[Tenants]:
    for email in (ANN, BOB, EVE):
        google.add_user(email)
    (tmp_path / "client_secret.json").write_bytes(orjson.dumps(google.client_secrets()))
    with closing(Tenants(empty_pool, host_settings, clock)) as tenants:
        yield tenants


@pytest.fixture
def page(tenants: Tenants) -> Flask:
    return create_host_app(tenants)


@pytest.fixture
def enter(google: Sandbox) -> Enter:
    """Walk from a button of ours through Google and back."""

    def walk(
        browser: FlaskClient, email: str, button: str = "/sign-in", then: Flask | None = None
    ) -> TestResponse:
        sent = browser.get(button, base_url=BASE)
        assert sent.status_code == 302, sent.text
        callback = urlsplit(google.consent(sent.headers["Location"], email=email))
        back = answered_by(browser, then) if then else browser
        return back.get(f"{callback.path}?{callback.query}", base_url=BASE)

    return walk


def answered_by(browser: FlaskClient, page: Flask) -> FlaskClient:
    """Return the same browser, whose requests another process answers."""
    other = page.test_client()
    other._cookies = browser._cookies
    return other


def cookie_of(browser: FlaskClient) -> str:
    (cookie,) = (browser._cookies or {}).values()
    return cookie.value


def connected(tenants: Tenants, tenant: int | None) -> list[str]:
    assert tenant is not None
    return [it.email for it in tenants.app(tenant).accounts.all()]


def test_everybody_who_signs_in_has_a_list_and_a_mailbox_of_their_own(
    page: Flask, enter: Enter, tenants: Tenants
) -> None:
    for email in (ANN, BOB):
        browser = page.test_client()
        assert "Sign in with Google" in browser.get("/", base_url=BASE).text
        assert enter(browser, email).status_code == 303
        home = browser.get("/", base_url=BASE).text
        assert f"{email} is connected" in home
        assert connected(tenants, tenants.of_owner(email)) == [email]
    assert len(tenants.all()) == 2


def test_a_sign_in_goes_on_in_any_process(page: Flask, enter: Enter, tenants: Tenants) -> None:
    with closing(Tenants(tenants.pool, tenants.settings, tenants.clock)) as others:
        second = create_host_app(others)
        browser = page.test_client()
        assert enter(browser, ANN, then=second).status_code == 303
        for process in (page, second):
            assert answered_by(browser, process).get("/blocks", base_url=BASE).status_code == 200
        asked = post(answered_by(browser, second), "/import", text=KEY).text
        name = asked.split('name="pending" value="')[1].split('"', maxsplit=1)[0]
        assert post(answered_by(browser, page), "/import/apply", pending=name).status_code == 303
        post(answered_by(browser, page), "/sign-out")
        assert answered_by(browser, second).get("/blocks", base_url=BASE).status_code == 401


def test_whom_the_rule_does_not_let_in_is_refused_in_one_sentence_and_gives_the_permission_back(
    tenants: Tenants, enter: Enter
) -> None:
    tenants.settings = replace(tenants.settings, host_sign_up="closed")
    for button in ("/sign-in", "/sign-in?only=1"):
        browser = create_host_app(tenants).test_client()
        refused = enter(browser, EVE, button)
        assert (refused.status_code, "eve@gmail.com gets no list here" in refused.text) == (403, True)
        assert browser.get("/blocks", base_url=BASE).status_code == 401
    assert tenants.all() == {}


def invite(tenants: Tenants, seller: str, email: str, role: Role) -> int:
    """Have a seller let somebody in; return the seller's tenant."""
    tenant = tenants.admit(seller)
    assert tenant is not None
    owners = Owners(tenants.app(tenant).database)
    owners.claim(seller)
    owners.add(email, role, by=seller)
    return tenant


def answer(browser: FlaskClient, asked: TestResponse, seller: str) -> TestResponse:
    """Press a button on the page that asks whose list somebody wants."""
    token = asked.text.split('name="csrf_token" value="')[1].split('"', maxsplit=1)[0]
    return browser.post("/join", base_url=BASE, data={"csrf_token": token, "seller": seller})


def everything(tenants: Tenants, tenant: int) -> list[object]:
    """Return all that is kept of a seller."""
    tables = [it for it in TABLES if it != "sessions"]
    sql = " UNION ALL ".join(
        f"SELECT '{it}', key, document::text FROM \"{it}\" WHERE tenant_id = %s" for it in tables
    )
    order, values = f"{sql} ORDER BY 1, 2".encode(), [tenant] * len(tables)
    return tenants.pool.run(lambda connection: list(connection.execute(order, values).fetchall()))


def test_whom_an_owner_lets_in_is_asked_once_and_comes_to_that_list_with_no_mailbox_of_theirs(
    page: Flask, enter: Enter, tenants: Tenants
) -> None:
    enter(page.test_client(), ANN)
    ann = invite(tenants, ANN, EVE, Role.READ)
    tenants.app(ann).block_list.block([KEY], by="test")
    browser = page.test_client()
    asked = enter(browser, EVE, "/sign-in?only=1")
    assert (asked.status_code, f"{ANN} has invited you to their block list" in asked.text) == (200, True)
    assert browser.get("/blocks", base_url=BASE).status_code == 401
    assert answer(browser, asked, ANN).status_code == 303
    assert KEY in browser.get("/blocks", base_url=BASE).text
    again = page.test_client()
    assert enter(again, EVE).status_code == 303
    assert KEY in again.get("/blocks", base_url=BASE).text
    assert (connected(tenants, ann), tenants.of_owner(EVE)) == ([ANN], None)


def test_nothing_of_a_newcomer_reaches_a_stranger_who_has_let_them_in_before_they_agree(
    page: Flask, enter: Enter, tenants: Tenants
) -> None:
    eve, ann = invite(tenants, EVE, BOB, Role.FULL), invite(tenants, ANN, BOB, Role.FULL)
    before = everything(tenants, eve), everything(tenants, ann)
    browser = page.test_client()
    asked = enter(browser, BOB)
    assert (asked.status_code, all(f"Join {it}" in asked.text for it in (EVE, ANN))) == (200, True)
    assert (everything(tenants, eve), everything(tenants, ann)) == before
    assert (connected(tenants, eve), tenants.looks.is_claimed(BOB)) == ([], False)
    with closing(Tenants(tenants.pool, tenants.settings, tenants.clock)) as others:
        other_process = answered_by(browser, create_host_app(others))
        asked_for_mailbox = answer(other_process, asked, ANN)
    assert f"Connect {BOB}?" in asked_for_mailbox.text
    assert everything(tenants, eve) == before[0]
    assert (connected(tenants, ann), tenants.of_owner(BOB)) == ([], None)
    assert answer(browser, asked, EVE).status_code == 400, "it was answered"


def test_who_would_rather_have_a_list_of_their_own_gets_it_with_their_mailbox(
    page: Flask, enter: Enter, tenants: Tenants
) -> None:
    eve = invite(tenants, EVE, BOB, Role.FULL)
    before = everything(tenants, eve)
    browser = page.test_client()
    assert answer(browser, enter(browser, BOB), BOB).status_code == 303
    assert connected(tenants, tenants.of_owner(BOB)) == [BOB]
    assert f"{BOB} is connected" in browser.get("/", base_url=BASE).text
    assert everything(tenants, eve) == before


@pytest.mark.parametrize("button", ["/sign-in", "/sign-in?only=1"])
def test_who_leaves_or_makes_up_an_answer_is_nowhere_and_gives_the_permission_back(
    enter: Enter, tenants: Tenants, google: Sandbox, button: str
) -> None:
    invite(tenants, EVE, BOB, Role.FULL)
    tenants.admit(ANN)
    tenants.settings = replace(tenants.settings, host_sign_up="closed")
    page = create_host_app(tenants)
    for chosen in ("", ANN, BOB, "nobody"):
        browser = page.test_client()
        asked = enter(browser, BOB, button)
        assert ("Have a list of my own" in asked.text, "Join" in asked.text) == (False, True)
        assert answer(browser, asked, chosen).status_code == 303
        assert "You joined nobody" in browser.get("/", base_url=BASE).text
        assert browser.get("/blocks", base_url=BASE).status_code == 401
    client_id = google.client_secrets()["installed"]["client_id"]
    assert (tenants.of_owner(BOB), google.world.grants.scopes(client_id, BOB)) == (None, frozenset())


def test_a_question_is_answered_by_the_browser_that_was_asked_alone(
    page: Flask, enter: Enter, tenants: Tenants, clock: FakeClock
) -> None:
    invite(tenants, EVE, BOB, Role.FULL)
    asked = enter(page.test_client(), BOB)
    stranger = page.test_client()
    assert answer(stranger, enter(stranger, BOB), EVE).status_code == 200
    other = page.test_client()
    other.get("/blocks", base_url=BASE)
    assert answer(other, asked, EVE).status_code == 400
    late = page.test_client()
    Owners(tenants.app(tenants.admit(EVE) or 0).database).remove(BOB)
    invite(tenants, EVE, BOB, Role.FULL)
    asked = enter(late, BOB)
    clock.advance(11 * 60)
    assert answer(late, asked, EVE).status_code == 400


def test_a_seller_stays_the_seller_of_their_own_list_whoever_lets_them_in(
    page: Flask, enter: Enter, tenants: Tenants
) -> None:
    enter(page.test_client(), BOB)
    eve = tenants.admit(EVE)
    assert eve is not None
    Owners(tenants.app(eve).database).claim(EVE)
    Owners(tenants.app(eve).database).add(BOB, Role.FULL)
    tenants.app(eve).block_list.block([KEY], by="test")
    browser = page.test_client()
    assert enter(browser, BOB).status_code == 303
    assert KEY not in browser.get("/blocks", base_url=BASE).text


def test_the_progress_of_a_worker_is_shown_by_any_process_and_ends_with_the_pass(
    page: Flask, enter: Enter, tenants: Tenants, google: Sandbox, clock: FakeClock
) -> None:
    browser = page.test_client()
    enter(browser, ANN)
    for number in range(250):
        google.deliver(ANN, notice(number), received_at=clock.now())
    seen: list[bool] = []
    kept: list[datetime | None] = []
    with closing(Tenants(tenants.pool, tenants.settings, tenants.clock)) as workers:
        app = workers.app(tenants.of_owner(ANN) or 0)

        def watch(_: Progress) -> None:
            seen.append('<progress max="250"' in browser.get("/live", base_url=BASE).text)
            kept.append(app.accounts.get(ANN).progress_at)
            clock.advance(1)

        app.passes.run(ANN, watch)
        assert (len(seen) >= 5, all(seen)) == (True, True)
        assert len(set(kept)) < len(kept) - 1, "not stored each time"
        assert "<progress" not in browser.get("/live", base_url=BASE).text
        google.deliver(ANN, notice(1000), received_at=clock.now())
        google.fault = lambda _, method, __: Fault(status=503) if method == "messages.modify" else None
        with pytest.raises(TransientError):
            app.passes.run(ANN)
        assert "<progress" not in browser.get("/live", base_url=BASE).text


def test_a_mailbox_of_one_seller_is_not_connected_for_another_and_stays_connected(
    page: Flask, enter: Enter, tenants: Tenants
) -> None:
    browser = page.test_client()
    enter(browser, ANN)
    other = page.test_client()
    enter(other, BOB)
    refused = enter(other, ANN)
    assert (refused.status_code, "connected for another seller" in refused.text) == (400, True)
    assert connected(tenants, tenants.of_owner(BOB)) == [BOB]
    assert connected(tenants, tenants.of_owner(ANN)) == [ANN]
    tenants.app(tenants.of_owner(ANN) or 0).passes.run(ANN)


def test_a_session_counts_for_its_own_seller_alone(page: Flask, enter: Enter, tenants: Tenants) -> None:
    browser = page.test_client()
    enter(browser, ANN)
    bob, (number, _, name) = tenants.admit(BOB), cookie_of(browser).partition(".")
    Owners(tenants.app(bob or 0).database).add(ANN, Role.FULL)
    assert number == str(tenants.of_owner(ANN))
    wrong = [
        f"{bob}.{name}",
        name,
        f"0.{name}",
        f"-1.{name}",
        f"99999999999.{name}",
        f"{number}.",
        f".{name}",
    ]
    for cookie in (*wrong, f"{tenants.host}.{name}", f"{number}.{secrets.token_urlsafe(32)}", "é.\0"):
        stranger = page.test_client()
        stranger.set_cookie("buyerblock-8000", cookie, domain="localhost")
        assert stranger.get("/blocks", base_url=BASE).status_code == 401, cookie


def test_a_token_asks_for_its_own_seller_whoever_is_signed_in(
    page: Flask, enter: Enter, tenants: Tenants, clock: FakeClock
) -> None:
    browser = page.test_client()
    enter(browser, BOB)
    ann = tenants.app(tenants.admit(ANN) or 0)
    ann.block_list.block([KEY], by="test")
    token = Tokens(ann.database).create("tool", "write", now=clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    found = browser.get("/api/v1/blocks", base_url=BASE, headers=headers).get_json()["blocks"]
    assert [it["address"] for it in found] == [KEY]
    assert browser.get("/api/v1/blocks", base_url=BASE).get_json()["blocks"] == []
    for wrong in ("buyerblock_wrong", "", "\0"):
        headers = {"Authorization": f"Bearer {wrong}"}
        assert browser.get("/api/v1/blocks", base_url=BASE, headers=headers).status_code == 401
    ann.database.documents("tokens").truncate()
    assert (
        page.test_client().get("/api/v1/blocks", headers={"Authorization": f"Bearer {token}"}).status_code
        == 401
    )


def test_a_token_that_two_sellers_have_is_nobodys(page: Flask, tenants: Tenants, clock: FakeClock) -> None:
    ann, bob = (tenants.app(tenants.admit(it) or 0) for it in (ANN, BOB))
    token = Tokens(ann.database).create("tool", now=clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    assert page.test_client().get("/api/v1/blocks", headers=headers).status_code == 200
    copied = {str(it.doc_id): dict(it) for it in ann.database.documents("tokens").all()}
    bob.database.documents("tokens").put(copied)
    assert page.test_client().get("/api/v1/blocks", headers=headers).status_code == 401


def test_limits_are_those_of_all_processes_and_of_each_seller(
    page: Flask, tenants: Tenants, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "MAX_PER_MINUTE", 4)
    ann, bob = (
        Tokens(tenants.app(tenants.admit(it) or 0).database).create("tool", now=clock.now())
        for it in (ANN, BOB)
    )

    def ask(process: Flask, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return process.test_client().get("/api/v1/blocks", headers=headers).status_code

    with closing(Tenants(tenants.pool, tenants.settings, tenants.clock)) as others:
        second = create_host_app(others)
        assert [ask(it, ann) for it in (page, second) * 3] == [200] * 4 + [429] * 2
        assert ask(second, bob) == 200


def test_an_address_with_a_token_holds_the_list_of_its_seller_until_it_is_revoked(
    page: Flask, enter: Enter, tenants: Tenants
) -> None:
    browser, stranger = page.test_client(), page.test_client()
    enter(browser, ANN)
    tenants.app(tenants.of_owner(ANN) or 0).block_list.block([KEY], by="test")
    tenants.app(tenants.admit(BOB) or 0).block_list.block([f"b{KEY[1:]}"], by="test")
    made = post(browser, "/settings/copies/address", address_name="sheet", format="csv").text
    address = urlsplit(html.unescape(made.partition("http://localhost:8000")[2].partition("<")[0]))
    asked = f"{address.path}?{address.query}"
    found = stranger.get(asked, base_url=BASE).text
    assert (KEY in found, f"b{KEY[1:]}" in found) == (True, False)
    assert post(browser, "/settings/copies/revoke", name="sheet").status_code == 303
    assert stranger.get(asked, base_url=BASE).status_code == 401


def test_a_seller_takes_a_backup_from_the_page_that_a_program_of_their_own_restores(
    page: Flask, enter: Enter, tenants: Tenants, google: Sandbox, clock: FakeClock, tmp_path: Path
) -> None:
    browser = page.test_client()
    enter(browser, ANN)
    tenants.app(tenants.of_owner(ANN) or 0).block_list.block([KEY], by="test")
    tenants.app(tenants.admit(BOB) or 0).block_list.block([f"b{KEY[1:]}"], by="test")
    differ = post(browser, "/settings/backup", passphrase=PASSPHRASE, again="another")
    assert "The two passphrases differ" in differ.text
    with closing(post(browser, "/settings/backup", passphrase=PASSPHRASE, again=PASSPHRASE)) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="buyerblock-2026-11-23.backup"'
        (saved := tmp_path / "saved.backup").write_bytes(answer.get_data())
    restore(saved, home := tmp_path / "home", PASSPHRASE)
    settings = replace(tenants.settings, data_dir=home, secret_key=None, database_url=None)
    with closing(build_app(settings, clock)) as app:
        google.deliver(ANN, notice(8), received_at=clock.now())
        app.passes.run(ANN)
        assert {it.key for it in app.block_list.blocks()} == {KEY, alias(8)}
    assert not list(Path(tempfile.gettempdir()).glob("*/buyerblock-2026-11-23.backup")), (
        "it lay there for a moment"
    )


def test_what_is_about_the_machine_is_not_there(page: Flask, enter: Enter) -> None:
    browser = page.test_client()
    enter(browser, ANN)
    for path in ("/setup", "/start/x", "/settings/gate"):
        assert browser.get(path, base_url=BASE).status_code == 404, path
    for path in ("/settings/restore", "/settings/copies/remove", "/settings/gate", "/setup"):
        token = csrf_token(browser, "/settings")
        assert browser.post(path, base_url=BASE, data={"csrf_token": token}).status_code == 404, path
    token = csrf_token(browser, "/settings")
    written = browser.post("/settings/copies", base_url=BASE, data={"csrf_token": token, "name": "x"})
    assert written.status_code == 405, "no file is written on a machine of the host's"
    for path in ("/", "/settings", "/settings/people", "/settings/copies", "/settings/backup"):
        shown = browser.get(path, base_url=BASE).text
        assert not any(it in shown for it in ("/setup", "/settings/gate", "/settings/restore", "publish")), (
            path
        )


def test_a_process_is_ready_while_the_database_answers(
    page: Flask, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = page.test_client().get("/readyz")
    assert (ready.status_code, ready.get_json()) == (200, {"ready": True})

    def lost(_: object) -> None:
        raise StorageError("PostgreSQL does not answer.")

    monkeypatch.setattr(tenants.pool, "run", lost)
    ready = page.test_client().get("/readyz")
    assert (ready.status_code, ready.get_json()) == (503, {"ready": False})
    assert page.test_client().get("/healthz").text == "ok\n", "to begin it anew would not help"
    assert page.test_client().get("/blocks").status_code == 401


def test_the_figures_are_for_who_shows_a_token_of_the_host(
    page: Flask, tenants: Tenants, clock: FakeClock, enter: Enter
) -> None:
    browser = page.test_client()
    enter(browser, ANN)
    theirs = Tokens(tenants.app(tenants.admit(ANN) or 0).database).create("tool", now=clock.now())
    of_host = Tokens(tenants.host_database).create("prometheus", now=clock.now())
    for token, status in ((theirs, 401), ("buyerblock_wrong", 401), (of_host, 200)):
        answer = browser.get("/metrics", base_url=BASE, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status, token
    assert "buyerblock_host_mailboxes 1.0" in answer.text
    assert browser.get("/metrics", base_url=BASE).status_code == 401
