"""The sandbox's handles for other processes, and the command."""

import base64
import json
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from google.auth.exceptions import RefreshError
from google_client import SELLER, mail
from googleapiclient.errors import HttpError

from oauth_web.demo.sandbox import Sandbox

SANDBOX = [sys.executable, "-m", "oauth_web.demo.sandbox"]


def post(sandbox: Sandbox, name: str, **wish: Any) -> Any:
    with urlopen(Request(f"{sandbox.url}/sandbox/{name}", json.dumps(wish).encode())) as reply:
        return json.load(reply)


def state(url: str) -> Any:
    with urlopen(f"{url}/sandbox/state") as reply:
        return json.load(reply)


def test_mail_is_delivered_and_seen_over_http(sandbox: Sandbox) -> None:
    raw = b"Subject: \xff\r\n\r\nbytes"
    first = post(
        sandbox, "deliver", email=SELLER, raw=mail().decode(), received_at="2026-01-02T03:04:05+00:00"
    )["id"]
    second = post(sandbox, "deliver", email=SELLER, raw_base64=base64.b64encode(raw).decode(), spam=True)[
        "id"
    ]
    assert state(sandbox.url)[SELLER]["messages"] == {first: ["INBOX", "UNREAD"], second: ["SPAM", "UNREAD"]}
    assert sandbox.world.mailboxes[SELLER].messages[second].raw == raw


def test_faults_are_planned_over_http(sandbox: Sandbox, gmail: Any) -> None:
    post(sandbox, "faults", method="labels.list", skip=1, times=1, status=503)
    gmail.labels().list(userId="me").execute()
    with pytest.raises(HttpError):
        gmail.labels().list(userId="me").execute()
    gmail.labels().list(userId="me").execute()


def test_tokens_expire_and_are_revoked_over_http(sandbox: Sandbox, gmail: Any) -> None:
    post(sandbox, "expire-tokens", email=SELLER)
    gmail.labels().list(userId="me").execute()
    assert [call.status for call in sandbox.calls(SELLER)] == [401, 200]
    post(sandbox, "revoke", email=SELLER)
    with pytest.raises(RefreshError):
        gmail.labels().list(userId="me").execute()


def test_switches_users_and_actions_work_over_http(sandbox: Sandbox) -> None:
    post(sandbox, "settings", latency=0.5, allowance=None, api_enabled=False, testing=True)
    assert (sandbox.latency, sandbox.quota.allowance, sandbox.world.api_enabled) == (0.5, None, False)
    post(sandbox, "users", email="second@example.com", send_as=["shop@example.com"])
    post(sandbox, "forwarding", email="second@example.com", address="tool@example.net")
    post(sandbox, "act", email="second@example.com", do="create_label", **{"with": {"name": "Work"}})
    seen = state(sandbox.url)["second@example.com"]
    assert seen["forwarding"] == {"tool@example.net": "accepted"}
    assert [label["name"] for label in seen["labels"]] == ["Work"]
    assert "installed" in post(sandbox, "client-secrets")


@pytest.mark.parametrize(
    ("name", "wish", "status"),
    [
        ("nothing", {}, 404),
        ("deliver", {"email": "nobody@example.com", "raw": ""}, 400),
        ("act", {"email": SELLER, "do": "__init__"}, 400),
        ("act", {"email": SELLER, "do": "create_label", "with": {"name": ""}}, 400),
        ("settings", {"colour": 1}, 400),
        ("faults", {"befor": 1}, 400),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(sandbox: Sandbox, name: str, wish: Any, status: int) -> None:
    with pytest.raises(HTTPError) as caught:
        post(sandbox, name, **wish)
    caught.value.close()
    assert caught.value.code == status


def test_stopping_ends_open_connections_and_frees_the_port() -> None:
    first = Sandbox().start()
    port = int(first.url.rpartition(":")[2])
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/sandbox/state")
    assert connection.getresponse().read() == b"{}"
    first.stop()
    with Sandbox(port=port) as again:
        assert again.url == first.url
    assert connection.sock.recv(1) == b""
    connection.close()


def test_the_command_prints_where_it_is_and_delivers_a_folder(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(mail("from a file"))
    client_file = tmp_path / "client.json"
    command = [*SANDBOX, "--port", "0", "--user", SELLER, "--mail", str(tmp_path)]
    command += ["--client-file", str(client_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            first, second, third = (process.stdout.readline() for _ in range(3))
            url = first.split()[2]
            assert str(client_file) in second
            assert third == f"Delivered 1 mails to {SELLER}\n"
            assert list(state(url)[SELLER]["messages"].values()) == [["INBOX", "UNREAD"]]
        finally:
            process.kill()
    assert json.loads(client_file.read_text())["installed"]["token_uri"] == f"{url}/token"


def test_the_command_says_what_is_wrong_in_one_sentence(sandbox: Sandbox, tmp_path: Path) -> None:
    port = sandbox.url.rpartition(":")[2]
    for arguments in (["--port", port], ["--mail", str(tmp_path / "nowhere")]):
        ended = subprocess.run(
            [*SANDBOX, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr
