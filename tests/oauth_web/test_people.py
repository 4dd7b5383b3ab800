"""Several people at one page: who is let in and how far, which mailbox is connected, and where a sign-in ends."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from browsing import csrf_token, open_start_link, post
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import OWNER, settings_with
from werkzeug.test import TestResponse

from oauth_web.access.owners import Owners, Role
from oauth_web.demo.sandbox import Fault, Sandbox
from oauth_web.services import Services
from worker.app import App
from worker.database import Database
from worker.settings import Settings

BASE = "http://localhost:8000"
OTHER = "other@gmail.com"
READER = "reader@gmail.com"


@pytest.fixture
def settings(tmp_path: Path, google: Sandbox) -> Settings:
    for email in (OWNER, OTHER, READER):
        google.add_user(email)
    return settings_with(google, tmp_path)


@pytest.fixture(autouse=True)
def close_passes(engine: App) -> Iterator[None]:
    yield
    engine.passes.close()


Enter = Callable[..., TestResponse]


@pytest.fixture
def enter(google: Sandbox) -> Enter:
    """Walk from a button of ours through the consent page and back."""

    def walk(browser: FlaskClient, email: str, button: str = "/sign-in") -> TestResponse:
        answer = browser.get(button, base_url=BASE)
        assert answer.status_code == 302, answer.text
        callback = urlsplit(google.consent(answer.headers["Location"], email=email))
        return browser.get(f"{callback.path}?{callback.query}", base_url=BASE)

    return walk


@pytest.fixture
def seller(web: Flask, enter: Enter) -> FlaskClient:
    """The browser of the owner, whose mailbox is connected."""
    browser = open_start_link(web.test_client())
    assert enter(browser, OWNER).status_code == 303
    return browser


@pytest.fixture
def reader(seller: FlaskClient, web: Flask, enter: Enter) -> FlaskClient:
    """The browser of somebody who was let in to read."""
    assert post(seller, "/settings/people", email=READER, role="read").status_code == 303
    browser = web.test_client()
    assert enter(browser, READER, "/sign-in?only=1").status_code == 303
    return browser


def connected(engine: App) -> list[str]:
    return sorted(it.email for it in engine.accounts.all())


def granted(engine: App, google: Sandbox, email: str) -> frozenset[str]:
    client_id = orjson.loads(engine.settings.client_secrets.read_bytes())["installed"]["client_id"]
    return google.world.grants.scopes(client_id, email)


@pytest.mark.usefixtures("seller")
@pytest.mark.parametrize(
    "place",
    [
        "/block?key=406-1234567-7654321",
        "/blocks?q=n%C3%B6te&page=2",
        "/block?key=a%3Fb%2526c",
        "/blocks?_external=1&_scheme=javascript&next=//evil.example",
    ],
)
def test_a_link_from_outside_ends_where_it_leads(web: Flask, enter: Enter, place: str) -> None:
    visitor = web.test_client()
    assert visitor.get(place, base_url=BASE).status_code == 401
    assert enter(visitor, OWNER).headers["Location"] == place


@pytest.mark.usefixtures("seller")
@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "//evil.example/blocks",
        "/\\evil.example",
        "/https://evil.example",
        "/nothing",
    ],
)
def test_no_address_sends_anybody_elsewhere_after_the_sign_in(web: Flask, enter: Enter, place: str) -> None:
    visitor = web.test_client()
    visitor.get("/", base_url=BASE, environ_overrides={"PATH_INFO": place, "REQUEST_URI": place})
    for query in ("next", "place", "url"):
        visitor.get(f"/sign-in?{query}={place}", base_url=BASE)
    assert enter(visitor, OWNER, f"/sign-in?place={place}").headers["Location"] == "/"


@pytest.mark.usefixtures("seller")
def test_only_a_page_that_was_looked_at_is_where_a_sign_in_ends(web: Flask, enter: Enter) -> None:
    visitor = web.test_client()
    visitor.get("/live", base_url=BASE, headers={"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"})
    visitor.post("/settings/interval", base_url=BASE)
    visitor.get(f"/blocks?q={'x' * 5000}", base_url=BASE)
    assert enter(visitor, OWNER).headers["Location"] == "/"
    visitor = web.test_client()
    visitor.get("/blocks", base_url=BASE)
    visitor.get("/", base_url=BASE)
    assert enter(visitor, OWNER).headers["Location"] == "/"


def test_another_mailbox_than_the_one_to_sign_in_again_is_asked_about_first(
    seller: FlaskClient, web: Flask, enter: Enter, engine: App, google: Sandbox, services: Services
) -> None:
    asked = enter(seller, OTHER, f"/sign-in?account={OWNER}")
    assert asked.status_code == 200
    assert f"You wanted to sign in {OWNER} again, and chose {OTHER}" in asked.text
    assert connected(engine) == [OWNER]
    assert services.owners.emails() == {OWNER}
    assert (google.labels(OTHER), google.user(OTHER).filters()) == (set(), [])
    name = asked.text.split('name="name" value="')[1].split('"')[0]
    stranger = web.test_client()
    assert enter(stranger, OWNER).status_code == 303
    assert post(stranger, "/connect", name=name, yes="").status_code == 400, "another browser cannot answer"
    assert post(seller, "/connect", name=name, yes="").status_code == 303
    assert connected(engine) == [OWNER, OTHER][::-1]
    assert post(seller, "/connect", name=name, yes="").status_code == 400


def test_a_mailbox_that_is_not_to_be_connected_is_given_back(
    seller: FlaskClient, enter: Enter, engine: App, google: Sandbox
) -> None:
    asked = enter(seller, OTHER, f"/sign-in?account={OWNER}")
    assert granted(engine, google, OTHER)
    name = asked.text.split('name="name" value="')[1].split('"')[0]
    assert post(seller, "/connect", name=name, no="").status_code == 303
    assert f"{OTHER} was not connected" in seller.get("/", base_url=BASE).text
    assert connected(engine) == [OWNER]
    assert granted(engine, google, OTHER) == frozenset()
    assert granted(engine, google, OWNER)


def test_a_question_is_open_for_ten_minutes(
    seller: FlaskClient, enter: Enter, engine: App, clock: FakeClock
) -> None:
    asked = enter(seller, OTHER, f"/sign-in?account={OWNER}")
    name = asked.text.split('name="name" value="')[1].split('"')[0]
    clock.advance(601)
    answer = post(seller, "/connect", name=name, yes="")
    assert (answer.status_code, "older than ten minutes" in answer.text) == (400, True)
    assert connected(engine) == [OWNER]


def test_the_account_that_was_meant_is_signed_in_again_without_a_question(
    seller: FlaskClient, enter: Enter
) -> None:
    assert enter(seller, OWNER, f"/sign-in?account={OWNER}").status_code == 303


def test_who_gives_no_access_at_google_stays_signed_in_and_reads_no_other(
    seller: FlaskClient, google: Sandbox
) -> None:
    url = seller.get("/sign-in", base_url=BASE).headers["Location"]
    callback = urlsplit(google.consent(url, email=OTHER, cancel=True))
    refused = seller.get(f"{callback.path}?{callback.query}", base_url=BASE)
    assert "You are not signed in" not in refused.text
    assert "nothing was connected" in refused.text
    assert 'href="/sign-in"' in refused.text


def test_a_second_owner_is_let_in_and_asked_about_the_mailbox(
    seller: FlaskClient, web: Flask, enter: Enter, engine: App
) -> None:
    visitor = web.test_client()
    assert enter(visitor, OTHER).status_code == 403
    assert post(seller, "/settings/people", email=f" {OTHER.upper()} ", role="full").status_code == 303
    asked = enter(visitor, OTHER)
    assert f"Connect {OTHER}?" in asked.text
    assert connected(engine) == [OWNER]
    assert post(visitor, "/settings/interval", form_on="/settings/people", seconds="300").status_code == 303


def test_who_only_reads_sees_every_page_and_changes_nothing(
    reader: FlaskClient, web: Flask, engine: App, blocked: str
) -> None:
    for page in (
        "/",
        "/blocks",
        f"/block?key={blocked}",
        "/review",
        "/settings",
        "/did-not-arrive",
        "/blocks.json",
    ):
        assert reader.get(page, base_url=BASE).status_code == 200, page
    assert "only-reads" in reader.get("/", base_url=BASE).text
    token = csrf_token(reader)
    version = engine.block_list.version
    posts = {rule.rule for rule in web.url_map.iter_rules() if "POST" in (rule.methods or ())} - {"/sign-out"}
    for path in sorted(path for path in posts if "<" not in path):
        answer = reader.post(path, data={"csrf_token": token, "keys": blocked, "email": OWNER})
        assert (answer.status_code, "change nothing" in answer.text) == (403, True), path
    refused = reader.delete(f"/api/v1/blocks/{blocked}", headers={"X-CSRFToken": token})
    assert refused.status_code == 403
    assert reader.get("/api/v1/blocks").status_code == 200
    assert engine.block_list.version == version
    assert reader.get("/sign-in", base_url=BASE).status_code == 403
    assert post(reader, "/sign-out").status_code == 303
    assert reader.get("/blocks", base_url=BASE).status_code == 401


def test_who_only_reads_is_asked_for_no_mailbox_and_none_is_connected(
    reader: FlaskClient, web: Flask, enter: Enter, engine: App, google: Sandbox
) -> None:
    assert granted(engine, google, READER) == {"openid", "email"}
    visitor = web.test_client()
    assert "Sign in without a mailbox" in visitor.get("/", base_url=BASE).text
    url = visitor.get("/sign-in?only=1", base_url=BASE).headers["Location"]
    assert parse_qs(urlsplit(url).query)["scope"] == ["openid email"]
    assert enter(visitor, READER).status_code == 303, "the large button lets them in as well"
    assert connected(engine) == [OWNER]
    assert post(visitor, "/review").status_code == 403
    assert granted(engine, google, READER) == frozenset(), "what is not used is given back"
    assert reader.get("/blocks", base_url=BASE).status_code == 200


@pytest.mark.usefixtures("reader")
def test_who_is_on_no_list_is_refused_without_a_mailbox_too(web: Flask, enter: Enter, engine: App) -> None:
    visitor = web.test_client()
    refused = enter(visitor, OTHER, "/sign-in?only=1")
    assert refused.status_code == 403
    assert f"{OTHER} is not on the list" in refused.text
    assert 'href="/sign-in?only=1"' in refused.text, "trying again asks for no mailbox either"
    assert visitor.get("/blocks", base_url=BASE).status_code == 401
    assert connected(engine) == [OWNER]


def test_who_is_removed_is_out_at_once_and_stays_out_when_let_in_again(
    seller: FlaskClient, reader: FlaskClient
) -> None:
    removed = post(seller, "/settings/people/remove", form_on="/settings/people", email=READER)
    assert removed.status_code == 303
    assert reader.get("/blocks", base_url=BASE).status_code == 401
    assert (
        post(seller, "/settings/people", form_on="/settings/people", email=READER, role="full").status_code
        == 303
    )
    assert reader.get("/blocks", base_url=BASE).status_code == 401, "the old session has ended"


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("/settings/people/remove", {"email": OWNER}, "You cannot remove yourself"),
        ("/settings/people/remove", {"email": "nobody@gmail.com"}, "Nobody was removed"),
        ("/settings/people", {"email": OWNER, "role": "read"}, "may enter already"),
        ("/settings/people", {"email": "no address", "role": "read"}, "no address"),
        ("/settings/people", {"email": READER, "role": "king"}, "could not be understood"),
    ],
)
def test_a_list_of_people_that_makes_no_sense_is_refused(
    seller: FlaskClient, services: Services, path: str, fields: dict[str, str], said: str
) -> None:
    answer = post(seller, path, form_on="/settings/people", **fields)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert services.owners.emails() == {OWNER}


def test_a_person_is_removed_with_all_their_accounts_but_never_the_last_owner(database: Database) -> None:
    owners = Owners(database)
    owners.claim("first@gmail.com")
    owners.add("second@gmail.com", Role.FULL)
    owners.add_account("second.shop@gmail.com", of="second@gmail.com")
    owners.add("reader@gmail.com", Role.READ)
    assert owners.remove("second@gmail.com") == {"second@gmail.com", "second.shop@gmail.com"}
    assert owners.remove("first@gmail.com") == frozenset()
    assert owners.emails() == {"first@gmail.com", "reader@gmail.com"}


def test_owners_of_before_may_do_everything_and_of_a_role_that_is_unknown_read(database: Database) -> None:
    owners = Owners(database)
    database.documents("owners").put({"before@gmail.com": {}, "later@gmail.com": {"role": "accounting"}})
    assert [(it.email, it.role, it.person) for it in owners.by_person()] == [
        ("before@gmail.com", Role.FULL, "before@gmail.com"),
        ("later@gmail.com", Role.READ, "later@gmail.com"),
    ]


def test_a_new_address_keeps_the_role_and_the_other_accounts_of_a_person(database: Database) -> None:
    owners = Owners(database)
    owners.claim("old@gmail.com")
    owners.add_account("shop@gmail.com", of="old@gmail.com")
    owners.change_email("new@gmail.com", ["old@gmail.com"])
    assert {(it.email, it.person) for it in owners.by_person()} == {
        ("new@gmail.com", "new@gmail.com"),
        ("shop@gmail.com", "new@gmail.com"),
    }


def token_of(**claims: object) -> bytes:
    """Return Google's answer with an ID token that claims this."""
    part = base64.urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=").decode()
    return orjson.dumps({"access_token": "a", "token_type": "Bearer", "id_token": f"header.{part}.signature"})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'{"access_token": "a", "token_type": "Bearer"}', "garbled"),
        (b'{"access_token": "a", "token_type": "Bearer", "id_token": "x"}', "garbled"),
        (token_of(iss="https://accounts.google.com"), "garbled"),
        (
            token_of(iss="https://accounts.google.com", aud="another", email=OWNER, email_verified=True),
            "vouch",
        ),
        (token_of(iss="https://evil.example", aud="CLIENT", email=OWNER, email_verified=True), "vouch"),
        (token_of(iss="accounts.google.com", aud="CLIENT", email=OWNER, email_verified=False), "vouch"),
    ],
)
@pytest.mark.usefixtures("seller")
def test_who_somebody_is_is_taken_from_google_alone(
    web: Flask, enter: Enter, engine: App, google: Sandbox, answer: bytes, said: str
) -> None:
    client_id = orjson.loads(engine.settings.client_secrets.read_bytes())["installed"]["client_id"]
    head, part, end = answer.partition(b"header.")
    if part:
        encoded, _, rest = end.partition(b".")
        claims = base64.urlsafe_b64decode(encoded + b"==").replace(b"CLIENT", client_id.encode())
        answer = head + part + base64.urlsafe_b64encode(claims).rstrip(b"=") + b"." + rest
    google.fault = lambda _number, method, _email: Fault(body=answer) if method == "oauth.token" else None
    visitor = web.test_client()
    refused = enter(visitor, OWNER, "/sign-in?only=1")
    assert (refused.status_code, said in refused.text) == (502, True)
    assert visitor.get("/blocks", base_url=BASE).status_code == 401
