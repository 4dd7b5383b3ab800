"""Settings of the whole program: tokens, webhook, backup, restore, expiry, how often to look."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from browsing import post
from flask.testing import FlaskClient
from folders import block_list_in
from werkzeug.test import TestResponse

from oauth_web.services import Services
from worker.app import App
from worker.operation.backup import backup
from worker.operation.logs import Lines
from worker.operation.restore import finish_restore, restore
from worker.owner.preferences import read_preferences, sync_interval
from worker.webhook import Announcements, deliver_due

PASSPHRASE = "staple of invented words"
SCRIPT = "<script>alert(1)</script>"


def secret_in(answer: TestResponse) -> str:
    assert answer.status_code == 200
    return answer.text.split('<code id="secret">')[1].split("<")[0].rpartition(" ")[2]


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Return what the log says, down to debug level."""
    caplog.set_level(logging.DEBUG)
    return lambda: "\n".join(Lines().format(record) for record in caplog.records) + caplog.text


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """The other side of a webhook on this machine: its address, and what it was told."""
    told: list[bytes] = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Takes)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", told
    server.shutdown()
    thread.join()
    server.server_close()


# --- tokens


def test_a_token_is_shown_once_and_works_until_it_is_revoked(owner: FlaskClient, services: Services) -> None:
    made = post(owner, "/settings/tokens", name=" mailing  tool ", scope="read")
    secret = secret_in(made)
    assert "The token for mailing tool" in made.text
    assert made.headers["Cache-Control"] == "no-store"
    shown = {"Authorization": f"Bearer {secret}"}
    assert owner.get("/api/v1/blocks", headers=shown).status_code == 200
    assert owner.delete("/api/v1/blocks/111-1111111-1111111", headers=shown).status_code == 403
    assert "last used just now" in owner.get("/settings/tokens").text
    assert post(owner, "/settings/tokens/revoke", name="mailing tool").status_code == 303
    assert "is revoked" in owner.get("/settings/tokens").text
    assert owner.get("/api/v1/blocks", headers=shown).status_code == 401
    assert services.tokens.all() == []
    assert post(owner, "/settings/tokens/revoke", name="mailing tool").status_code == 400


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "x" * 61}, {"name": "tool", "scope": "all"}, {"name": "taken"}]
)
def test_a_token_that_cannot_be_made_gives_a_sentence(
    owner: FlaskClient, services: Services, fields: dict[str, str]
) -> None:
    post(owner, "/settings/tokens", name="taken", scope="read")
    answer = post(owner, "/settings/tokens", **({"scope": "read"} | fields))
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert [token.name for token in services.tokens.all()] == ["taken"]


def test_the_name_of_a_token_is_shown_as_text(owner: FlaskClient) -> None:
    made = post(owner, "/settings/tokens", name=SCRIPT, scope="write").text
    for text in (made, owner.get("/settings/tokens").text):
        assert SCRIPT not in text
        assert "&lt;script&gt;" in text


# --- webhook


def test_the_webhook_is_set_tried_and_removed(
    owner: FlaskClient, engine: App, services: Services, receiver: tuple[str, list[bytes]]
) -> None:
    url, told = receiver
    secret = secret_in(post(owner, "/settings/webhook", url=url))
    assert secret.startswith("whsec_")
    hook = services.webhook.existing()
    assert (hook.url, hook.secret, hook.allow_private) == (url, secret, False)
    assert "No message has failed" in owner.get("/settings/webhook").text
    post(owner, "/settings/webhook/test")
    assert "The test was taken" in owner.get("/settings/webhook").text
    assert b'"type":"test"' in told[0]
    engine.block_list.block(["111-1111111-1111111"], by="test")
    announcements = Announcements(engine.database)
    deliver_due(services.webhook, engine.block_list, announcements, now=engine.clock.now)
    assert b"111-1111111-1111111" in told[1]
    post(owner, "/settings/webhook/remove")
    assert services.webhook.get() is None


def test_a_webhook_that_fails_says_why_and_is_resumed(
    owner: FlaskClient, engine: App, services: Services
) -> None:
    post(owner, "/settings/webhook", url="https://shop.example/hook", allow_private="on")
    engine.block_list.block(["111-1111111-1111111"], by="test")
    deliver_due(
        services.webhook,
        engine.block_list,
        Announcements(engine.database),
        now=engine.clock.now,
        send=lambda *_, allow_private: f"It said {SCRIPT}. {allow_private}",
    )
    page = owner.get("/settings/webhook").text
    assert "Failed once: It said &lt;script&gt;" in page
    assert "Next try in 5 seconds" in page
    assert post(owner, "/settings/webhook/resume").status_code == 303
    assert services.webhook.existing().failures == 0


@pytest.mark.parametrize(
    "url", ["", "http://shop.example/hook", "javascript:alert(1)", "https://a:b@shop.example/"]
)
def test_an_address_that_will_not_do_is_refused(owner: FlaskClient, services: Services, url: str) -> None:
    assert post(owner, "/settings/webhook", url=url).status_code == 400
    assert services.webhook.get() is None


@pytest.mark.parametrize(
    ("url", "can_be_allowed"),
    [("https://192.168.1.5/hook", True), ("https://169.254.169.254/latest/meta-data", False)],
)
def test_an_address_in_a_private_network_is_refused_at_once(
    owner: FlaskClient, services: Services, url: str, can_be_allowed: bool
) -> None:
    answer = post(owner, "/settings/webhook", url=url)
    assert answer.status_code == 400
    assert "is in a private network" in answer.text
    assert ("box ticked" in answer.text) is can_be_allowed
    assert services.webhook.get() is None
    assert post(owner, "/settings/webhook", url=url, allow_private="on").status_code == (
        200 if can_be_allowed else 400
    )


def test_a_damaged_webhook_leaves_the_other_settings_usable(
    owner: FlaskClient, engine: App, services: Services
) -> None:
    engine.database.documents("webhook").put({"webhook": {}})
    page = owner.get("/settings/webhook")
    assert page.status_code == 200
    assert services.webhook.get() is None
    post(owner, "/settings/webhook", url="https://shop.example/hook", allow_private="on")
    assert services.webhook.existing().failures == 0


def test_secrets_stand_in_one_answer_and_nowhere_else(
    owner: FlaskClient, engine: App, everything_logged: Callable[[], str], receiver: tuple[str, list[bytes]]
) -> None:
    answers = [
        post(owner, "/settings/tokens", name="tool", scope="write"),
        post(owner, "/settings/webhook", url=receiver[0]),
    ]
    secrets = [secret_in(answer) for answer in answers]
    post(owner, "/settings/webhook/test")
    pages = [owner.get(path).text for path in ("/settings/webhook", "/settings/tokens", "/", "/blocks")]
    files = [path.read_bytes() for path in engine.settings.data_dir.rglob("*") if path.is_file()]
    for secret in secrets:
        assert len(secret) > 40
        assert not any(secret in answer.headers.get("Location", "") for answer in answers)
        assert not any(secret in page for page in pages)
        assert secret not in everything_logged()
        assert not any(secret.encode() in content for content in files)


# --- backup


def downloaded(answer: TestResponse, path: Path) -> Path:
    assert answer.status_code == 200
    with closing(answer):
        path.write_bytes(answer.data)
    return path


def test_a_backup_is_downloaded_and_brings_the_list_back(
    owner: FlaskClient, blocked: str, tmp_path: Path
) -> None:
    answer = post(owner, "/settings/backup")
    name = answer.headers["Content-Disposition"]
    assert name == 'attachment; filename="buyerblock-2026-11-23.backup"'
    assert answer.headers["Cache-Control"] == "no-store"
    restore(downloaded(answer, tmp_path / "copy"), tmp_path / "new")
    with block_list_in(tmp_path / "new") as blocks:
        assert blocks.get(blocked) is not None


def test_a_backup_with_a_passphrase_is_encrypted_and_holds_the_key(
    owner: FlaskClient, account: str, blocked: str, tmp_path: Path
) -> None:
    answer = post(owner, "/settings/backup", passphrase=PASSPHRASE, again=PASSPHRASE)
    assert blocked.encode() not in answer.data
    done = restore(downloaded(answer, tmp_path / "copy"), tmp_path / "new", PASSPHRASE)
    assert (done.with_key, done.accounts) == (True, (account,))


@pytest.mark.parametrize(
    ("passphrase", "again", "why"),
    [(PASSPHRASE, PASSPHRASE + "x", "differ"), (PASSPHRASE, "", "differ"), ("short", "short", "too short")],
)
def test_a_passphrase_that_will_not_do_gives_no_backup(
    owner: FlaskClient, passphrase: str, again: str, why: str
) -> None:
    answer = post(owner, "/settings/backup", passphrase=passphrase, again=again)
    assert answer.status_code == 400
    assert why in answer.text


def test_a_backup_is_no_link_that_a_picture_could_follow(owner: FlaskClient) -> None:
    assert owner.get("/settings/backup").mimetype == "text/html"


def test_nothing_of_a_backup_stays_behind(
    owner: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with closing(post(owner, "/settings/backup")) as answer:
        assert answer.data
    assert list(scratch.iterdir()) == []


# --- restore


@pytest.fixture
def saved(engine: App, blocked: str, tmp_path: Path) -> bytes:
    """A backup with one buyer in it, who was unblocked since."""
    backup(engine.settings.data_dir, tmp_path / "saved", now=engine.clock.now())
    engine.block_list.unblock(blocked, by="test")
    return (tmp_path / "saved").read_bytes()


def restored(owner: FlaskClient, content: bytes, **fields: str) -> TestResponse:
    return post(owner, "/settings/restore", file=(io.BytesIO(content), "my.backup"), **fields)


def test_a_backup_is_checked_laid_ready_and_put_in_place_by_the_next_start(
    owner: FlaskClient, engine: App, saved: bytes, blocked: str, restarts: list[str]
) -> None:
    answer = restored(owner, saved, sure="on")
    assert answer.status_code == 200
    assert "Buyers on its block list: 1; accounts: 0." in answer.text
    assert restarts == ["restart"]
    assert engine.block_list.get(blocked) is None, "not while the server has the files open"
    engine.close()
    assert finish_restore(engine.settings.data_dir)
    with block_list_in(engine.settings.data_dir) as blocks:
        assert blocks.get(blocked) is not None


@pytest.mark.parametrize(
    ("content", "fields", "said"),
    [
        (b"", {"sure": "on"}, "This file is no backup of buyerblock"),
        (b"PK\3\4 something else", {"sure": "on"}, "This file is no backup of buyerblock"),
        (b"saved", {"sure": "on", "passphrase": "one too many"}, "This file is not encrypted"),
        (b"saved", {}, "Tick the box"),
    ],
)
def test_a_file_that_will_not_do_changes_nothing(
    owner: FlaskClient,
    engine: App,
    saved: bytes,
    restarts: list[str],
    content: bytes,
    fields: dict[str, str],
    said: str,
) -> None:
    answer = restored(owner, saved if content == b"saved" else content, **fields)
    assert answer.status_code == 400
    assert said in answer.text
    assert "/tmp" not in answer.text
    assert restarts == []
    assert not finish_restore(engine.settings.data_dir)
    assert "Choose the backup file first" in post(owner, "/settings/restore", sure="on").text


# --- expiry


def test_blocks_expire_after_as_many_days_as_the_owner_says(owner: FlaskClient, engine: App) -> None:
    assert post(owner, "/settings/expiry", days=" 365 ").status_code == 303
    page = owner.get("/settings/general").text
    assert "unblocked 365 days after" in page
    assert 'value="365"' in page
    assert read_preferences(engine.database).expire_after_days == 365
    post(owner, "/settings/expiry", days="")
    assert read_preferences(engine.database).expire_after_days is None


@pytest.mark.parametrize("days", ["0", "29", "36501", "-90", "1e3", "90.5", "ninety", "²", "9" * 5000])
def test_days_that_make_no_sense_change_nothing(owner: FlaskClient, engine: App, days: str) -> None:
    post(owner, "/settings/expiry", days="90")
    answer = post(owner, "/settings/expiry", days=days)
    assert answer.status_code == 400
    assert "from 30 to 36,500" in answer.text
    assert read_preferences(engine.database).expire_after_days == 90


# --- how often to look


def test_mailboxes_are_looked_at_as_often_as_the_owner_says(owner: FlaskClient, engine: App) -> None:
    assert '<option value="60" selected>1 minute' in owner.get("/settings/general").text
    assert post(owner, "/settings/interval", seconds="90").status_code == 303
    page = owner.get("/settings/general").text
    assert "checked every 90 seconds" in page
    assert '<option value="90" selected>90 seconds' in page
    assert sync_interval(engine.settings, engine.database) == 90


@pytest.mark.parametrize("seconds", ["", "0", "86401", "-60", "1e3", "60.5", "²", "9" * 5000])
def test_seconds_that_make_no_sense_change_nothing(owner: FlaskClient, engine: App, seconds: str) -> None:
    answer = post(owner, "/settings/interval", seconds=seconds)
    assert answer.status_code == 400
    assert "from 1 to 86,400" in answer.text
    assert sync_interval(engine.settings, engine.database) == 60
