"""Sign-in against the sandbox, over HTTP: its consent page, its token endpoint, its Gmail."""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from browsing import open_start_link, post
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import OWNER, settings_with
from werkzeug.test import TestResponse

from oauth_web.application import create_app
from oauth_web.demo.sandbox import Fault, FaultPlan, Sandbox
from oauth_web.services import Services
from worker.app import App
from worker.errors import SignInAgainError
from worker.gmail import connection
from worker.gmail.credentials import SCOPES
from worker.settings import Settings

OTHER = "other@gmail.com"
SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture
def google() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.add_user(OWNER)
        sandbox.add_user(OTHER)
        yield sandbox


@pytest.fixture
def settings(tmp_path: Path, google: Sandbox) -> Settings:
    return settings_with(google, tmp_path)


@pytest.fixture
def stranger(admitted: FlaskClient) -> FlaskClient:
    """The first to sign in: a browser that opened the link on the terminal."""
    return admitted


@pytest.fixture(autouse=True)
def close_passes(engine: App) -> Iterator[None]:
    yield
    engine.passes.close()


def to_google(browser: FlaskClient, path: str = "/sign-in", base: str = "http://localhost:8000") -> str:
    answer = browser.get(path, base_url=base)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def back(browser: FlaskClient, callback: str) -> TestResponse:
    parts = urlsplit(callback)
    return browser.get(f"{parts.path}?{parts.query}", base_url=f"{parts.scheme}://{parts.netloc}")


@pytest.fixture
def enter(google: Sandbox) -> Callable[..., TestResponse]:
    """Walk from our button through the consent page and back."""

    def walk(browser: FlaskClient, email: str = OWNER, **consent: object) -> TestResponse:
        return back(browser, google.consent(to_google(browser), email=email, **consent))  # type: ignore[arg-type]

    return walk


Enter = Callable[..., TestResponse]


def test_the_first_account_owns_the_page(
    stranger: FlaskClient, enter: Enter, engine: App, services: Services
) -> None:
    answer = enter(stranger)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
    home = stranger.get("/", base_url="http://localhost:8000")
    assert f"{OWNER} is connected" in home.text
    assert services.owners.emails() == {OWNER}
    assert engine.accounts.get(OWNER).state == "ok"
    assert f"{OWNER} is connected" not in stranger.get("/", base_url="http://localhost:8000").text


def test_google_is_asked_for_lasting_access_with_a_proof_and_nothing_more(
    stranger: FlaskClient,
) -> None:
    url = to_google(open_start_link(stranger, base="http://127.0.0.1:8123"), base="http://127.0.0.1:8123")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert set(asked["scope"].split()) == set(SCOPES)
    assert asked["redirect_uri"] == "http://127.0.0.1:8123/oauth2/callback"
    assert asked["code_challenge_method"] == "S256"
    assert (asked["access_type"], asked["prompt"], asked["response_type"]) == ("offline", "consent", "code")
    assert len(asked["state"]) >= 40


def test_the_answer_to_one_loopback_name_comes_back_to_it(
    stranger: FlaskClient, google: Sandbox, services: Services
) -> None:
    for base in ("http://localhost:8000", "http://127.0.0.1:8000"):
        callback = google.consent(to_google(open_start_link(stranger, base=base), base=base), email=OWNER)
        assert callback.startswith(base)
        assert back(stranger, callback).status_code == 303
    assert services.owners.emails() == {OWNER}


def test_an_owner_connects_further_accounts_and_comes_back_by_each_of_them(
    web: Flask, stranger: FlaskClient, enter: Enter, engine: App, services: Services
) -> None:
    enter(stranger)
    assert enter(stranger, OTHER).status_code == 303
    assert {account.email for account in engine.accounts.all()} == {OWNER, OTHER}
    assert [(it.email, it.person) for it in services.owners.by_person()] == [(OWNER, OWNER), (OTHER, OWNER)]
    another = web.test_client()
    assert enter(another, OTHER).status_code == 303
    assert another.get("/blocks", base_url="http://localhost:8000").status_code == 200


def test_the_owner_comes_back_by_signing_in_again(web: Flask, stranger: FlaskClient, enter: Enter) -> None:
    enter(stranger)
    another = web.test_client()
    assert another.get("/blocks").status_code == 401
    assert enter(another).status_code == 303
    assert another.get("/blocks", base_url="http://localhost:8000").status_code == 200


def test_a_strange_account_is_not_let_in_and_what_it_granted_is_given_back(
    web: Flask, stranger: FlaskClient, enter: Enter, engine: App, google: Sandbox
) -> None:
    enter(stranger)
    visitor = web.test_client()
    answer = enter(visitor, OTHER)
    assert answer.status_code == 403
    assert "belongs to somebody else" in answer.text
    assert OWNER not in answer.text
    assert visitor.get("/blocks", base_url="http://localhost:8000").status_code == 401
    assert [account.email for account in engine.accounts.all()] == [OWNER]
    client_id = orjson.loads(engine.settings.client_secrets.read_bytes())["installed"]["client_id"]
    assert google.world.grants.scopes(client_id, OTHER) == frozenset()


def test_a_connected_account_that_may_not_enter_is_refused_and_stays_connected(
    web: Flask, stranger: FlaskClient, enter: Enter, engine: App, services: Services
) -> None:
    enter(stranger)
    enter(stranger, OTHER)
    services.owners.remove(OTHER)
    assert enter(web.test_client(), OTHER).status_code == 403
    assert engine.passes.mailbox(OTHER).address() == OTHER


@pytest.mark.parametrize("signed_in", [True, False])
def test_an_owner_whose_address_was_changed_still_owns_the_page(
    web: Flask,
    stranger: FlaskClient,
    enter: Enter,
    engine: App,
    google: Sandbox,
    services: Services,
    terminal: list[str],
    signed_in: bool,
) -> None:
    enter(stranger)
    engine.passes.run(OWNER)
    google.user(OWNER).change_address("new.name@gmail.com")
    browser = stranger if signed_in else web.test_client()
    if not signed_in:  # the link on the terminal shows that the visitor is no colleague who knows the filters
        assert enter(browser, "new.name@gmail.com").status_code == 403
        browser.get(f"/start/{terminal[-1].rpartition('/start/')[2]}")
    assert enter(browser, "new.name@gmail.com").status_code == 303
    assert browser.get("/blocks", base_url="http://localhost:8000").status_code == 200
    assert services.owners.emails() == {"new.name@gmail.com"}
    assert [it.email for it in engine.accounts.all()] == ["new.name@gmail.com"]
    engine.passes.run("new.name@gmail.com")


def test_a_visitor_from_elsewhere_is_not_let_in_by_the_filters_of_a_mailbox(
    web: Flask, stranger: FlaskClient, enter: Enter, engine: App, google: Sandbox, services: Services
) -> None:
    """Its account goes on under the old address until an owner, or somebody at this machine, signs in with it."""
    enter(stranger)
    engine.passes.run(OWNER)
    google.user(OWNER).change_address("new.name@gmail.com")
    visitor = web.test_client()
    parts = urlsplit(google.consent(to_google(visitor), email="new.name@gmail.com"))
    answer = visitor.get(
        f"{parts.path}?{parts.query}",
        base_url="http://localhost:8000",
        environ_overrides={"REMOTE_ADDR": "203.0.113.9"},
    )
    assert answer.status_code == 403
    assert services.owners.emails() == {OWNER}
    google.user("new.name@gmail.com").expire_access_tokens()
    engine.passes.run(OWNER)


@pytest.mark.parametrize("scope", SCOPES)
def test_an_unticked_scope_is_named_with_its_reason(
    stranger: FlaskClient, enter: Enter, engine: App, services: Services, scope: str
) -> None:
    answer = enter(stranger, untick={scope})
    assert answer.status_code == 403
    assert scope in answer.text
    assert ("two filters" if "settings" in scope else "to label them") in answer.text
    assert "Try again" in answer.text
    assert engine.accounts.all() == []
    assert services.owners.emails() == frozenset()


def test_a_user_who_cancels_is_told_that_nothing_happened(
    stranger: FlaskClient, enter: Enter, engine: App
) -> None:
    answer = enter(stranger, cancel=True)
    assert answer.status_code == 403
    assert "nothing was connected" in answer.text
    assert engine.accounts.all() == []


def test_a_reason_of_googles_that_is_not_known_is_shown_as_text_in_its_words(
    stranger: FlaskClient, google: Sandbox, enter: Enter
) -> None:
    odd = {"error": "<b>new</b>", "error_description": "Something new " + "x" * 5000}
    google.fault = lambda _number, method, _email: Fault(oauth=odd) if method == "oauth.consent" else None
    answer = enter(stranger)
    assert answer.status_code == 502
    assert "it says: Something new xxx" in answer.text
    assert "x" * 300 not in answer.text
    google.fault = lambda _number, method, _email: (
        Fault(oauth={"error": "<b>new</b>"}) if method == "oauth.consent" else None
    )
    assert "&lt;b&gt;new" in enter(stranger).text


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("admin_policy_enforced", "have it trusted in the Admin console"),
        ("org_internal", "choose “External”"),
        ("policy_enforced", "leave Advanced Protection"),
        ("deleted_client", "restore it there, or create a new one"),
        ("disabled_client", "it can be enabled again there"),
        ("unauthorized_client", "Desktop app"),
    ],
)
@pytest.mark.parametrize("method", ["oauth.consent", "oauth.token"])
def test_a_refusal_of_googles_is_told_with_its_cure(
    stranger: FlaskClient, google: Sandbox, enter: Enter, engine: App, method: str, code: str, cure: str
) -> None:
    google.fault = lambda _number, asked, _email: (
        Fault(status=403, oauth={"error": code}) if asked == method else None
    )
    answer = enter(stranger)
    assert answer.status_code == 502
    assert cure in answer.text
    assert engine.accounts.all() == []


def test_an_answer_counts_once(stranger: FlaskClient, google: Sandbox, engine: App) -> None:
    callback = google.consent(to_google(stranger), email=OWNER)
    assert back(stranger, callback).status_code == 303
    connected = engine.accounts.get(OWNER)
    replayed = back(stranger, callback)
    assert (replayed.status_code, replayed.headers["Location"]) == (303, "/")
    assert engine.accounts.all() == [connected]
    assert f"{OWNER} is connected" in stranger.get("/", base_url="http://localhost:8000").text
    assert post(stranger, "/sign-out").status_code == 303
    replayed = back(stranger, callback)
    assert replayed.status_code == 400
    assert "please start again" in replayed.text


@pytest.mark.parametrize("state", ["", "forged", "x" * 5000])
def test_a_forged_state_is_refused(stranger: FlaskClient, google: Sandbox, engine: App, state: str) -> None:
    code = parse_qs(urlsplit(google.consent(to_google(stranger), email=OWNER)).query)["code"][0]
    answer = stranger.get(
        "/oauth2/callback", query_string={"state": state, "code": code}, base_url="http://localhost:8000"
    )
    assert answer.status_code == 400
    assert engine.accounts.all() == []


def test_an_answer_in_another_browser_is_refused_and_still_counts_in_its_own(
    web: Flask, stranger: FlaskClient, google: Sandbox, engine: App
) -> None:
    callback = google.consent(to_google(stranger), email=OTHER)
    victim = open_start_link(web.test_client())
    to_google(victim)
    assert back(victim, callback).status_code == 400
    assert engine.accounts.all() == []
    assert back(stranger, callback).status_code == 303


def test_an_answer_after_ten_minutes_is_refused(
    stranger: FlaskClient, google: Sandbox, engine: App, clock: FakeClock
) -> None:
    callback = google.consent(to_google(stranger), email=OWNER)
    clock.advance(601)
    assert back(stranger, callback).status_code == 400
    assert engine.accounts.all() == []


def test_signing_in_changes_the_name_of_the_session(
    web: Flask, stranger: FlaskClient, enter: Enter, services: Services
) -> None:
    to_google(stranger)
    before = stranger.get_cookie("buyerblock-8000")
    assert before is not None
    enter(stranger)
    after = stranger.get_cookie("buyerblock-8000")
    assert after is not None
    assert before.value != after.value
    assert OWNER not in str(services.sessions.get(before.value)), "the former name opens nothing"
    thief = web.test_client()
    thief.set_cookie("buyerblock-8000", before.value, domain="localhost")
    assert thief.get("/blocks").status_code == 401


def test_access_for_an_hour_only_is_refused(stranger: FlaskClient, google: Sandbox, engine: App) -> None:
    url = to_google(stranger).replace("access_type=offline", "access_type=online")
    answer = back(stranger, google.consent(url, email=OWNER))
    assert answer.status_code == 502
    assert "for an hour only" in answer.text
    assert engine.accounts.all() == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=500), "could not be reached"),
        (Fault(cut="before"), "could not be reached"),
        (Fault(cut="body"), "could not be reached"),
        (Fault(garble="half"), "garbled"),
        (Fault(garble="not_json"), "garbled"),
        (Fault(body=b" " * 100_000 + b"{}"), "garbled"),
        (Fault(body=b"[]"), "garbled"),
        (Fault(body=b'{"access_token": "a", "refresh_token": "r", "scope": 5}'), "garbled"),
        (Fault(body=b'{"access_token": [], "refresh_token": {}, "expires_in": []}'), "garbled"),
        (Fault(body=b'{"error": ["x"]}'), "Google refused the sign-in"),
        (Fault(location="https://elsewhere.example/token"), "could not be reached"),
    ],
    ids=lambda it: it if isinstance(it, str) else repr(it)[:60],
)
def test_a_failing_token_endpoint_becomes_one_sentence(
    stranger: FlaskClient, google: Sandbox, enter: Enter, engine: App, fault: Fault, said: str
) -> None:
    plan = FaultPlan()
    plan.add(fault, method="oauth.token")
    google.fault = plan
    answer = enter(stranger)
    assert answer.status_code == 502
    assert said in answer.text
    assert "Traceback" not in answer.text
    assert engine.accounts.all() == []


def test_an_answer_that_never_ends_is_given_up(
    stranger: FlaskClient, enter: Enter, engine: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MAX_TIME", 0.0)
    answer = enter(stranger)
    assert answer.status_code == 502
    assert "no answer in time" in answer.text
    assert engine.accounts.all() == []


def test_a_code_that_google_does_not_know_becomes_one_sentence(stranger: FlaskClient) -> None:
    state = parse_qs(urlsplit(to_google(stranger)).query)["state"][0]
    answer = stranger.get(f"/oauth2/callback?state={state}&code=made-up", base_url="http://localhost:8000")
    assert answer.status_code == 502
    assert "start again" in answer.text


def test_an_answer_without_a_code_is_refused(stranger: FlaskClient) -> None:
    state = parse_qs(urlsplit(to_google(stranger)).query)["state"][0]
    answer = stranger.get(f"/oauth2/callback?state={state}", base_url="http://localhost:8000")
    assert answer.status_code == 400


def test_a_client_whose_secret_was_changed_becomes_one_sentence(
    stranger: FlaskClient, google: Sandbox, engine: App
) -> None:
    callback = google.consent(to_google(stranger), email=OWNER)
    path = engine.settings.client_secrets
    path.write_bytes(path.read_bytes().replace(b"GOCSPX", b"another"))
    answer = back(stranger, callback)
    assert answer.status_code == 502
    assert "does not know this OAuth client" in answer.text


def test_a_gmail_api_that_is_switched_off_becomes_one_sentence(
    stranger: FlaskClient, google: Sandbox, enter: Enter, services: Services
) -> None:
    plan = FaultPlan()
    plan.add(Fault(status=403, reason="accessNotConfigured", message="Gmail API has not been used"))
    plan.add(Fault(status=403, reason="accessNotConfigured"), method="users.getProfile", times=9)
    google.fault = lambda number, method, email: (
        plan(number, method, email) if "oauth" not in method else None
    )
    answer = enter(stranger)
    assert answer.status_code == 502
    assert "Gmail API is switched off" in answer.text
    assert services.owners.emails() == frozenset()


def test_a_missing_client_file_is_said_at_the_button(stranger: FlaskClient, engine: App) -> None:
    engine.settings.client_secrets.unlink()
    answer = stranger.get("/sign-in")
    assert answer.status_code == 503
    assert "There is no OAuth client file" in answer.text


def test_a_desktop_client_behind_https_is_refused_before_google_is(engine: App, terminal: list[str]) -> None:
    settings = replace(engine.settings, public_url="https://list.example.com")
    base = "https://list.example.com"
    page = create_app(replace(engine, settings=settings), say=terminal.append)
    browser = open_start_link(page.test_client(), base=base)
    answer = browser.get("/sign-in", base_url=base)
    assert answer.status_code == 503
    assert "Desktop app" in answer.text


def test_a_web_client_behind_https_comes_back_to_the_public_address(
    engine: App, google: Sandbox, terminal: list[str]
) -> None:
    base = "https://list.example.com"
    path = engine.settings.client_secrets
    path.write_bytes(orjson.dumps(google.client_secrets("web", [f"{base}/oauth2/callback"])))
    settings = replace(engine.settings, public_url=base)
    page = create_app(replace(engine, settings=settings), say=terminal.append)
    browser = open_start_link(page.test_client(), base=base)
    callback = google.consent(to_google(browser, base=base), email=OWNER)
    assert callback.startswith(f"{base}/oauth2/callback?")
    assert back(browser, callback).status_code == 303
    assert browser.get("/blocks", base_url=base).status_code == 200


def test_signing_in_again_offers_the_account_that_needs_it(stranger: FlaskClient, enter: Enter) -> None:
    enter(stranger)
    enter(stranger, OTHER)
    assert "login_hint=other%40gmail.com" in to_google(stranger, f"/sign-in?account={OTHER}")
    assert "login_hint" not in to_google(stranger, "/sign-in?account=unknown@gmail.com")


def test_a_dead_account_comes_back_by_signing_in_again(
    stranger: FlaskClient, enter: Enter, engine: App, google: Sandbox
) -> None:
    enter(stranger)
    google.user(OWNER).revoke()
    google.user(OWNER).expire_access_tokens()
    with pytest.raises(SignInAgainError):
        engine.passes.run(OWNER)
    home = stranger.get("/", base_url="http://localhost:8000").text
    assert "please sign in again" in home
    assert "Sign in again" in home
    enter(stranger)
    assert engine.accounts.get(OWNER).state == "ok"
    assert "Sign in again" not in stranger.get("/", base_url="http://localhost:8000").text


def test_secrets_appear_in_no_log_and_on_no_page(
    stranger: FlaskClient, google: Sandbox, engine: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = back(stranger, google.consent(to_google(stranger), email=OWNER))
    grant = engine.accounts.grant(OWNER)
    seen = caplog.text + answer.text + str(answer.headers) + stranger.get("/").text
    for secret in (grant.refresh_token, grant.client_secret, "ya29."):
        assert secret not in seen


def test_the_exchange_over_loopback_http_leaves_no_trace_in_the_environment(
    stranger: FlaskClient, enter: Enter
) -> None:
    before = dict(os.environ)
    enter(stranger)
    assert dict(os.environ) == before


def test_disconnecting_gives_access_back_and_keeps_the_blocks(
    stranger: FlaskClient, enter: Enter, engine: App, google: Sandbox
) -> None:
    enter(stranger)
    engine.block_list.block(["111-1111111-1111111"], by="test")
    engine.passes.run(OWNER)
    assert google.user(OWNER).filters()
    assert OWNER in stranger.get(f"/disconnect?account={OWNER}").text
    answer = post(stranger, "/disconnect", account=OWNER, undo="on")
    assert answer.status_code == 303
    assert engine.accounts.all() == []
    assert len(engine.block_list) == 1
    assert google.user(OWNER).filters() == []
    client_id = orjson.loads(engine.settings.client_secrets.read_bytes())["installed"]["client_id"]
    assert google.world.grants.scopes(client_id, OWNER) == frozenset()


def test_disconnecting_without_undo_leaves_the_rules(
    stranger: FlaskClient, enter: Enter, engine: App, google: Sandbox
) -> None:
    enter(stranger)
    engine.passes.run(OWNER)
    assert post(stranger, "/disconnect", account=OWNER).status_code == 303
    assert google.user(OWNER).filters()


@pytest.mark.parametrize(("days", "back"), [("3", 2), ("", 0), ("0", 0)])
def test_disconnecting_puts_the_last_notices_back_into_the_inbox(
    stranger: FlaskClient, enter: Enter, engine: App, google: Sandbox, days: str, back: int
) -> None:
    notices = sorted((SAMPLES / "opt_out").glob("*.eml"))[:3]
    sent = [
        google.deliver(OWNER, path.read_bytes(), received_at=engine.clock.now() - timedelta(days=age))
        for age, path in zip((1, 2, 5), notices, strict=True)
    ]
    enter(stranger)
    engine.passes.run(OWNER)
    assert not any("INBOX" in google.mailbox(OWNER)[it] for it in sent)
    assert post(stranger, "/disconnect", account=OWNER, undo="on", days_back=days).status_code == 303
    assert ["INBOX" in google.mailbox(OWNER)[it] for it in sent] == [number < back for number in range(3)]


@pytest.mark.parametrize("days", ["-1", "3.5", "a week", "3651", "9" * 5000])
def test_a_number_of_days_that_makes_no_sense_disconnects_nothing(
    stranger: FlaskClient, enter: Enter, engine: App, days: str
) -> None:
    enter(stranger)
    answer = post(stranger, "/disconnect", account=OWNER, undo="on", days_back=days)
    assert answer.status_code == 400
    assert "from 0 to 3,650" in answer.text
    assert [it.email for it in engine.accounts.all()] == [OWNER]
