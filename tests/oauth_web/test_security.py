"""Attacks on the page that need no Google: each is refused with the right status, and nothing changes."""

import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import csrf_token, open_start_link, post
from flask import Flask
from flask.testing import FlaskClient
from people import OWNER, start_link

from oauth_web.application import create_app
from oauth_web.services import NAME, Services
from worker.app import App
from worker.problems import Cause, MailboxProblem

OPEN = {"/", "/sign-in", "/oauth2/callback", "/healthz", "/readyz", "/metrics", "/setup", "/help", "/join"}
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def routes(web: Flask, method: str) -> list[str]:
    return [
        rule.rule
        for rule in web.url_map.iter_rules()
        if method in (rule.methods or ()) and not rule.arguments and rule.endpoint != "static"
    ]


def state_of(engine: App) -> object:
    data = engine.settings.data_dir
    files = {path: path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file()}
    stored = {
        name: dict(table)
        for name, table in (engine.database.storage.read() or {}).items()
        if name != "sessions"
    }
    return stored, {path: it for path, it in files.items() if not path.name.startswith("buyerblock.db")}


@pytest.mark.usefixtures("owner")
def test_strangers_see_no_page_but_the_way_in(web: Flask, account: str, blocked: str) -> None:
    stranger = web.test_client()
    closed = [path for path in routes(web, "GET") if path not in OPEN]
    assert "/export" in closed
    for path in [*closed, "/blocks.json", "/?q=a"]:
        answer = stranger.get(path)
        assert answer.status_code == (200 if path.startswith("/?") else 401), path
        assert blocked not in answer.text
        assert account not in answer.text


@pytest.mark.usefixtures("account")
def test_strangers_change_nothing_even_with_a_token(
    web: Flask, engine: App, owner: FlaskClient, blocked: str
) -> None:
    stranger = web.test_client()
    stranger.get("/sign-in")
    with stranger.session_transaction() as session:
        session["csrf_token"] = "raw"
    with owner.session_transaction() as session:
        assert session["csrf_token"] == "raw"
    token = csrf_token(owner)
    before = state_of(engine)
    for path in routes(web, "POST"):
        if path not in OPEN:
            answer = stranger.post(path, data={"csrf_token": token, "account": OWNER, "keys": blocked})
            assert answer.status_code == 401, path
    assert state_of(engine) == before


@pytest.mark.usefixtures("account")
def test_every_post_needs_the_token_of_its_session(
    web: Flask, engine: App, owner: FlaskClient, blocked: str
) -> None:
    before = state_of(engine)
    forged = {"", "raw", "x" * 91}
    assert routes(web, "POST")
    for path in routes(web, "POST"):
        for token in forged:
            answer = owner.post(path, data={"csrf_token": token, "account": OWNER, "keys": blocked})
            assert answer.status_code == 400, path
    assert state_of(engine) == before
    assert owner.get("/blocks").status_code == 200


def test_a_token_of_another_session_is_refused(owner: FlaskClient, web: Flask, services: Services) -> None:
    services.sessions.put("another", {"owner": OWNER, "csrf_token": "another"}, new=True)
    another = web.test_client()
    another.set_cookie("buyerblock-8000", "another", domain="localhost")
    assert another.post("/sign-out", data={"csrf_token": csrf_token(owner)}).status_code == 400
    assert post(another, "/sign-out").status_code == 303


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "169.254.169.254", "127.0.0.1.nip.io", "a b"]
)
def test_a_foreign_host_gets_nothing(owner: FlaskClient, host: str) -> None:
    answer = owner.get("/blocks", headers={"Host": host})
    assert answer.status_code == 400
    assert "under that name" in answer.text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "localhost:8000", "127.0.0.1:8123", "[::1]:8000"]
)
def test_the_names_of_this_machine_are_served(stranger: FlaskClient, host: str) -> None:
    assert stranger.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/blocks",
        "/nothing",
        "/static/style.css",
        "/static/nothing",
        "/oauth2/callback?state=x",
        "/api/v1/nothing",
    ],
)
def test_every_answer_carries_the_headers(owner: FlaskClient, path: str) -> None:
    with owner.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    assert headers["Cache-Control"] == ("no-cache" if path == "/static/style.css" else "no-store")


def test_the_cookie_is_for_this_page_alone(admitted: FlaskClient) -> None:
    cookie = admitted.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("buyerblock-8000=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_behind_https_cookies_and_browsers_are_bound_to_it(engine: App, terminal: list[str]) -> None:
    settings = replace(engine.settings, public_url="https://list.example.com")
    visitor = create_app(replace(engine, settings=settings), say=terminal.append).test_client()
    link = visitor.application.extensions[NAME].services.start_link.show()
    answer = visitor.get(urlsplit(link).path, base_url="http://list.example.com")
    assert link.startswith("https://list.example.com/start/")
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-buyerblock=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_a_session_name_that_was_planted_is_not_taken_over(admitted: FlaskClient, services: Services) -> None:
    victim = admitted
    victim.set_cookie("buyerblock-8000", "planted-by-an-attacker", domain="localhost")
    open_start_link(victim)
    cookie = victim.get_cookie("buyerblock-8000")
    assert cookie is not None
    assert cookie.value != "planted-by-an-attacker"
    assert services.sessions.get("planted-by-an-attacker") is None


def test_sign_out_ends_the_session_for_a_copied_cookie_too(owner: FlaskClient, web: Flask) -> None:
    thief = web.test_client()
    cookie = owner.get_cookie("buyerblock-8000")
    assert cookie is not None
    thief.set_cookie("buyerblock-8000", cookie.value, domain="localhost")
    assert thief.get("/blocks").status_code == 200
    assert post(owner, "/sign-out").status_code == 303
    assert owner.get_cookie("buyerblock-8000") is None
    assert thief.get("/blocks").status_code == 401
    assert owner.get("/blocks").status_code == 401


def test_who_stops_being_an_owner_is_out_at_once(owner: FlaskClient, engine: App) -> None:
    assert owner.get("/blocks").status_code == 200
    engine.database.documents("owners").delete([OWNER])
    engine.database.documents("owners").put({"another@gmail.com": {}})
    assert owner.get("/blocks").status_code == 401


def test_a_database_without_its_owners_lets_nobody_in(owner: FlaskClient, web: Flask, engine: App) -> None:
    with closing(sqlite3.connect(engine.settings.data_dir / "buyerblock.db")) as connection:
        connection.execute("DROP TABLE owners")
    for client in (owner, web.test_client()):
        for path in ("/", "/blocks", "/sign-in"):
            answer = client.get(path)
            assert answer.status_code == 503, path
            assert "Its log and the command" in answer.text
            assert str(engine.settings.data_dir) not in answer.text


def test_what_strangers_wrote_is_shown_as_text(engine: App, owner: FlaskClient, account: str) -> None:
    engine.block_list.block(["111-1111111-1111111"], note=SCRIPT, by="test")
    refused = MailboxProblem(Cause.REFUSED, {"words": SCRIPT, "status": "400"})
    engine.accounts.update(account, state="problem", problem=refused)
    for path in ("/", "/blocks", f"/blocks?q={SCRIPT}", "/live"):
        text = owner.get(path).text
        assert "<script>alert" not in text, path
        assert "onerror" not in text or "&lt;img src=x onerror" in text, path
    assert "&lt;script&gt;alert(1)" in owner.get("/").text


@pytest.mark.parametrize(
    "path",
    ["/static/../application.py", "/static/..%2fapplication.py", "//evil.example/", "/%00", "/static/"],
)
def test_paths_lead_nowhere_else(owner: FlaskClient, path: str) -> None:
    with owner.get(path) as answer:
        assert answer.status_code in {404, 400, 308}
        assert "evil.example" not in answer.headers.get("Location", "")


def test_a_line_break_in_a_value_makes_no_header(owner: FlaskClient) -> None:
    answer = owner.get("/disconnect?account=a%0d%0aSet-Cookie:x=y")
    assert answer.status_code == 400
    assert "x=y" not in answer.headers.get("Set-Cookie", "")


def test_links_to_other_pages_repeat_only_what_was_asked_of_the_list(engine: App, owner: FlaskClient) -> None:
    engine.block_list.block([f"111-1111111-{number:07}" for number in range(60)], by="test")
    crafted = {
        "_external": "1",
        "_scheme": "https",
        "_anchor": "x",
        "_method": "PUT",
        "endpoint": "x",
        "part": "table",
    }
    answer = owner.get("/blocks", query_string={"q": "111", **crafted})
    assert answer.status_code == 200
    assert 'href="/blocks?q=111&amp;page=2" rel="next"' in answer.text


def test_a_part_of_a_form_without_a_name_is_refused(stranger: FlaskClient) -> None:
    nameless = b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--"
    answer = stranger.post("/setup", data=nameless, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400


def test_too_large_a_request_is_refused(owner: FlaskClient) -> None:
    assert post(owner, "/disconnect", account="x" * 300_000).status_code == 413


def test_a_get_never_changes_anything(
    web: Flask, engine: App, owner: FlaskClient, account: str, blocked: str
) -> None:
    before = state_of(engine)
    for path in routes(web, "GET"):
        owner.get(path, query_string={"account": account, "key": blocked})
    assert state_of(engine) == before


@pytest.mark.parametrize("address", ["127.0.0.1", "203.0.113.9"])
def test_only_a_browser_that_opened_the_link_may_sign_in_first(
    web: Flask, terminal: list[str], services: Services, address: str
) -> None:
    """Wherever it is: what reaches this machine from itself may come from a proxy that hides all of it."""
    visitor, another = web.test_client(), web.test_client()
    visitor.environ_base["REMOTE_ADDR"] = another.environ_base["REMOTE_ADDR"] = address
    assert visitor.get("/sign-in").status_code == 403
    assert "open the link that buyerblock printed" in visitor.get("/").text
    assert visitor.get("/start/wrong").status_code == 403
    assert terminal == []
    link = urlsplit(start_link(services).show()).path
    assert visitor.get(link).status_code == 303
    assert visitor.get(link).status_code == 303, "one who is admitted may look again"
    assert visitor.get("/sign-in").status_code == 302
    assert another.get("/sign-in").status_code == 403
    assert "was used already" in another.get(link).text
    assert len(terminal) == 2


def test_the_link_is_worth_nothing_once_there_is_an_owner(
    web: Flask, owner: FlaskClient, services: Services
) -> None:
    visitor = web.test_client()
    assert visitor.get(urlsplit(start_link(services).show()).path).status_code == 303
    assert owner.get("/blocks").status_code == 200
    assert visitor.get("/blocks").status_code == 401


def test_no_number_of_strangers_pushes_out_who_is_on_the_way(web: Flask, admitted: FlaskClient) -> None:
    """Neither who opened the link, nor who is at Google."""
    state = parse_qs(urlsplit(admitted.get("/sign-in").headers["Location"]).query)["state"][0]
    for number in range(3000):
        stranger = web.test_client(use_cookies=False)
        stranger.get("/sign-in", environ_overrides={"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250}"})
    assert admitted.get("/sign-in").status_code == 302
    answer = admitted.get("/oauth2/callback", query_string={"state": state, "error": "access_denied"})
    assert "You chose not to give access" in answer.text


def test_strangers_read_no_path_of_the_server(web: Flask, owner: FlaskClient, engine: App) -> None:
    engine.settings.client_secrets.unlink()
    stranger = web.test_client()
    for path in ("/", "/sign-in", "/setup", "/oauth2/callback?state=x&code=y"):
        assert str(engine.settings.client_secrets.parent) not in stranger.get(path).text, path
    assert str(engine.settings.client_secrets) in owner.get("/sign-in").text


def test_strangers_cannot_begin_sign_ins_for_ever(web: Flask, owner: FlaskClient) -> None:
    stranger = web.test_client()
    statuses = [stranger.get("/sign-in").status_code for _ in range(61)]
    assert statuses == [302] * 60 + [429]
    assert owner.get("/sign-in").status_code == 302


@pytest.fixture
def public(engine: App, terminal: list[str]) -> Flask:
    """The page of a server, behind a proxy that tells visitors apart."""
    settings = replace(engine.settings, public_url="https://list.example.com")
    return create_app(replace(engine, settings=settings), say=terminal.append)


def try_a_token(web: Flask, *, forwarded_for: str) -> int:
    """Return how a wrong token is refused that a visitor of this address shows."""
    shown = {"X-Forwarded-For": forwarded_for, "Authorization": "Bearer wrong"}
    return web.test_client().get("/metrics", base_url="https://list.example.com", headers=shown).status_code


def test_visitors_are_told_apart_by_what_the_proxy_wrote(public: Flask) -> None:
    # What comes before the last address is what the stranger said.
    tries = [try_a_token(public, forwarded_for=f"10.0.0.{it}, 203.0.113.9") for it in range(21)]
    assert tries == [401] * 20 + [429]
    assert try_a_token(public, forwarded_for="198.51.100.7") == 401


def test_the_addresses_of_one_network_count_as_one_visitor(public: Flask) -> None:
    tries = [try_a_token(public, forwarded_for=f"2001:db8:0:1::{it:x}") for it in range(21)]
    assert tries == [401] * 20 + [429]
    assert try_a_token(public, forwarded_for="2001:db8:0:2::1") == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_cannot_ask_behind_the_visitors_back(web: Flask, owner: FlaskClient, site: str) -> None:
    for dest in ("empty", "image", "iframe", "script"):
        asked = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": "no-cors"}
        for path in ("/", "/sign-in", "/blocks.json", "/blocks?q=a", "/readyz", "/api/v1/blocks"):
            for _ in range(3 if path != "/sign-in" else 70):
                assert owner.get(path, headers=asked).status_code == 403, path
    assert web.test_client().get("/sign-in").status_code == 302, "no sign-in was used up"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none"])
def test_a_link_leads_here_from_anywhere(owner: FlaskClient, site: str) -> None:
    followed = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    assert owner.get("/blocks", headers=followed).status_code == 200


def test_an_error_that_is_unexpected_shows_no_detail(
    web: Flask, owner: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> str:
        raise RuntimeError("refresh-token-1234")

    web.view_functions["home.live"] = fail
    answer = owner.get("/live")
    assert answer.status_code == 500
    assert "1234" not in answer.text
    assert "refresh-token-1234" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps files private by other means.")
def test_the_data_of_sessions_and_owners_is_private(owner: FlaskClient, engine: App) -> None:
    owner.get("/")
    for name in ("buyerblock.db", "buyerblock.db-wal", "secret.key"):
        path = Path(engine.settings.data_dir / name)
        assert path.stat().st_mode & 0o077 == 0, name
