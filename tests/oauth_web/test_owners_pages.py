"""Import, settings, set-up: what an owner does on the page."""

import io
import sys
from dataclasses import replace

import orjson
import pytest
from browsing import csrf_token, open_start_link, post
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import CLIENT, OWNER

from oauth_web.application import create_app
from worker.app import App
from worker.problems import Cause, MailboxProblem
from worker.settings import Settings

# --- import


def pending_in(text: str) -> str:
    return text.split('name="pending" value="')[1].split('"', maxsplit=1)[0]


def test_an_import_is_previewed_applied_and_taken_back(owner: FlaskClient, engine: App) -> None:
    pasted = "111-1111111-1111111\nnonsense\n111-2222222-2222222\n111-1111111-1111111\n"
    page = post(owner, "/import", text=pasted).text
    assert "<strong>2</strong>" in page
    assert "is not a key" in page
    assert '<td class="number">2</td>' in page
    assert len(engine.block_list) == 0
    assert post(owner, "/import/apply", pending=pending_in(page)).status_code == 303
    assert len(engine.block_list) == 2
    note = owner.get("/blocks").text
    assert "2 blocked" in note
    import_id = note.split('name="import" value="')[1].split('"')[0]
    assert post(owner, "/import/undo", **{"import": import_id}).status_code == 303
    assert len(engine.block_list) == 0
    assert "taken back" in owner.get("/import").text


def test_a_file_is_previewed_under_its_name(owner: FlaskClient, engine: App) -> None:
    content = "\ufeffOrder ID;Note\r\n111-1111111-1111111;x\r\n".encode()
    name = "<b>my list</b>.csv"
    page = post(owner, "/import", file=(io.BytesIO(content), name)).text
    post(owner, "/import/apply", pending=pending_in(page))
    assert len(engine.block_list) == 1
    shown = owner.get("/import").text
    assert "&lt;b&gt;my list&lt;/b&gt;.csv" in shown
    assert "<b>my list" not in shown


def test_a_large_import_is_taken_and_a_huge_one_refused(owner: FlaskClient) -> None:
    large = "\n".join(f"111-{number:07d}-1111111" for number in range(30_000))
    assert "<strong>30,000</strong>" in post(owner, "/import", text=large).text
    assert post(owner, "/import", text="x" * 20_100_000).status_code == 413


def test_a_preview_is_its_browsers_own_counts_once_and_not_for_ever(
    owner: FlaskClient, web: Flask, clock: FakeClock
) -> None:
    def preview(order: str) -> str:
        return pending_in(post(owner, "/import", text=order).text)

    pending = preview("111-1111111-1111111")
    services = web.extensions["buyerblock"]
    services.sessions.put("another", {"owner": OWNER, "csrf_token": "x"}, new=True)
    another = web.test_client()
    another.set_cookie("buyerblock-8000", "another", domain="localhost")
    assert post(another, "/import/apply", pending=pending).status_code == 400
    assert post(owner, "/import/apply", pending=pending).status_code == 303
    assert post(owner, "/import/apply", pending=pending).status_code == 400
    late = preview("111-2222222-1111111")
    clock.advance(31 * 60)
    assert post(owner, "/import/apply", pending=late).status_code == 400


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_import_is_refused(owner: FlaskClient, text: str) -> None:
    assert post(owner, "/import", text=text).status_code == 400


@pytest.mark.parametrize("content", [b"\x00\xff" * 100, b"{", b'{"blocks": 3}', b"PK\x03\x04" + b"\x00" * 50])
def test_a_malformed_upload_changes_nothing(owner: FlaskClient, engine: App, content: bytes) -> None:
    answer = post(owner, "/import", file=(io.BytesIO(content), "x.csv"))
    assert answer.status_code in {200, 400}
    assert "pending" not in answer.text or "Nothing would change" in answer.text
    assert len(engine.block_list) == 0


# --- settings


def test_the_personal_address_is_shown(owner: FlaskClient, engine: App, account: str) -> None:
    assert engine.accounts.get(account).personal_address in owner.get("/settings").text


def test_marking_as_read_is_switched_on_and_off(owner: FlaskClient, engine: App, account: str) -> None:
    assert not engine.accounts.get(account).mark_read
    post(owner, "/settings/reading", account=account, mark_read="on")
    assert engine.accounts.get(account).mark_read
    page = owner.get("/settings").text
    assert "are marked as read from now on" in page
    assert 'name="mark_read" checked' in page
    post(owner, "/settings/reading", account=account)
    assert not engine.accounts.get(account).mark_read


def test_a_forwarding_address_is_set_checked_and_cleared(
    owner: FlaskClient, engine: App, account: str
) -> None:
    post(owner, "/settings/forwarding", account=account, address=" Tool@Example.com ")
    assert engine.accounts.get(account).forward_to == "tool@example.com"
    lost = MailboxProblem(Cause.FORWARDING_UNVERIFIED, {"address": "tool@example.com"})
    engine.accounts.update(account, problem=lost)
    assert "not forwarded yet" in owner.get("/settings").text
    assert post(owner, "/settings/forwarding", account=account, address="a b@c").status_code == 400
    post(owner, "/settings/forwarding", account=account, address="")
    assert engine.accounts.get(account).forward_to is None
    assert post(owner, "/settings/forwarding", account="x@y.zz", address="").status_code == 400


def test_trusted_forwarders_are_set_as_a_list(owner: FlaskClient, engine: App, account: str) -> None:
    post(
        owner,
        "/settings/trusted",
        account=account,
        addresses="B@example.net\r\n\r\na@example.net\nb@example.net",
    )
    assert engine.accounts.get(account).trusted == ("b@example.net", "a@example.net")
    assert "b@example.net\na@example.net</textarea>" in owner.get("/settings").text
    many = "\n".join(f"{number}@example.net" for number in range(51))
    assert post(owner, "/settings/trusted", account=account, addresses=many).status_code == 400
    assert post(owner, "/settings/trusted", account=account, addresses="nonsense").status_code == 400
    assert len(engine.accounts.get(account).trusted) == 2


def test_trusted_redirectors_are_addresses_and_domains(owner: FlaskClient, engine: App, account: str) -> None:
    names = "Sellers@company.example\nforwarding.example"
    post(owner, "/settings/redirectors", account=account, addresses=names)
    assert engine.accounts.get(account).redirectors == ("sellers@company.example", "forwarding.example")
    assert "sellers@company.example\nforwarding.example</textarea>" in owner.get("/settings").text
    for bad in ("nonsense", "*.example", "a b.example"):
        assert post(owner, "/settings/redirectors", account=account, addresses=bad).status_code == 400
    assert len(engine.accounts.get(account).redirectors) == 2


# --- set-up


@pytest.fixture
def fresh(engine: App, terminal: list[str]) -> FlaskClient:
    """A browser that may sign in first, before there is a client file."""
    settings = replace(engine.settings, client_secrets=engine.settings.data_dir / "client_secret.json")
    return open_start_link(create_app(replace(engine, settings=settings), say=terminal.append).test_client())


def test_a_fresh_start_leads_to_the_guide_and_then_to_the_button(fresh: FlaskClient, engine: App) -> None:
    assert fresh.get("/").headers["Location"] == "/setup"
    page = fresh.get("/setup").text
    assert "https://console.cloud.google.com/apis/library/gmail.googleapis.com" in page
    assert "In production" in page
    answer = post(fresh, "/setup", form_on="/setup", file=(io.BytesIO(orjson.dumps(CLIENT)), "client.json"))
    assert answer.status_code == 303
    kept = engine.settings.data_dir / "client_secret.json"
    assert sys.platform == "win32" or kept.stat().st_mode & 0o077 == 0, (
        "Windows keeps it private by other means"
    )
    assert "Sign in with Google" in fresh.get("/").text
    assert fresh.get("/sign-in").status_code == 302


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "is not JSON"),
        ("{}", "neither an"),
        ('{"type": "service_account"}', "key of a service account"),
        (orjson.dumps({"web": CLIENT["installed"]}).decode(), "Authorized redirect"),
    ],
)
def test_each_mistake_with_the_client_file_gets_its_sentence(
    fresh: FlaskClient, engine: App, pasted: str, said: str
) -> None:
    answer = post(fresh, "/setup", form_on="/setup", text=pasted)
    assert answer.status_code == 400
    assert said in answer.text
    assert "not-so-secret" not in answer.text
    assert not (engine.settings.data_dir / "client_secret.json").exists()


@pytest.mark.parametrize("key", ["auth_uri", "token_uri"])
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/token",
        "https://google.com.evil.example/",
        "https://script.google.com/macros/s/x/exec",
    ],
)
def test_a_client_file_that_sends_the_sign_in_elsewhere_is_refused(
    fresh: FlaskClient, engine: App, key: str, elsewhere: str
) -> None:
    pasted = orjson.dumps({"installed": {**CLIENT["installed"], key: elsewhere}}).decode()
    answer = post(fresh, "/setup", form_on="/setup", text=pasted)
    assert answer.status_code == 400
    assert "not to Google" in answer.text
    assert not (engine.settings.data_dir / "client_secret.json").exists()


def test_strangers_cannot_bring_a_client_file(fresh: FlaskClient, engine: App) -> None:
    form = {"csrf_token": csrf_token(fresh, "/setup"), "text": orjson.dumps(CLIENT).decode()}
    stranger = fresh.application.test_client()
    stranger.set_cookie("buyerblock-8000", "made-up", domain="localhost")
    assert stranger.post("/setup", data=form).status_code in {400, 403}
    assert stranger.get("/setup").status_code == 303
    assert "client_secret.json" not in stranger.get("/").text
    engine.database.documents("owners").put({"seller@gmail.com": {}})
    assert fresh.post("/setup", data=form).status_code == 403
    assert not (engine.settings.data_dir / "client_secret.json").exists()


def test_a_client_file_that_the_host_brought_is_not_replaced(
    owner: FlaskClient, settings: Settings, stranger: FlaskClient
) -> None:
    before = settings.client_secrets.read_bytes()
    assert "done the set-up for you" in owner.get("/setup").text
    assert post(owner, "/setup", text=orjson.dumps(CLIENT).decode()).status_code == 403
    assert settings.client_secrets.read_bytes() == before
    assert "Sign in with Google" in stranger.get("/").text


def test_the_guide_says_how_far_an_account_is(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock, blocked: str
) -> None:
    page = owner.get("/setup").text
    assert page.count('class="done"') == 3
    engine.accounts.update(
        account,
        labels={"opt-outs": "1", "queue": "2", "review": "3"},
        filter_ids=("f",),
        last_good_pass=clock.now(),
    )
    assert owner.get("/setup").text.count('class="done"') == 5
    engine.block_list.unblock(blocked, by="test")
    engine.accounts.update(account, state="sign_in_again")
    page = owner.get("/setup").text
    assert page.count('class="bad"') == 1
    assert "Notification Preferences" in page


def test_each_mailbox_has_its_settings_at_an_address_of_its_own(
    owner: FlaskClient, engine: App, account: str
) -> None:
    second = "second@gmail.com"
    engine.accounts.connect(second, engine.accounts.grant(account), now=engine.clock.now())
    page = owner.get("/settings", query_string={"account": second}).text
    assert engine.accounts.get(second).personal_address in page
    assert engine.accounts.get(account).personal_address not in page
    saved = post(owner, "/settings/reading", account=second, mark_read="on")
    assert saved.location == "/settings?account=second@gmail.com"
    assert owner.get("/settings?account=nobody@gmail.com").status_code == 400
