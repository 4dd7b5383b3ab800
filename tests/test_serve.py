"""``buyerblock serve`` as a process: how it starts, how it refuses to, how it stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
from sellers import Seller

from sandbox import Fault, Sandbox

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="Signals and file modes as POSIX systems have them."
)


@pytest.fixture
def environment(google: Sandbox, tmp_path: Path) -> dict[str, str]:
    secrets = tmp_path / "client_secret.json"
    secrets.write_text(json.dumps(google.client_secrets("installed")), encoding="utf-8")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        **os.environ,
        "BUYERBLOCK_DATA_DIR": str(tmp_path),
        "BUYERBLOCK_GMAIL_URL": google.url,
        "BUYERBLOCK_REVOKE_URL": google.revoke_url,
        "BUYERBLOCK_SECRET_KEY": "k" * 32,
        "BUYERBLOCK_PORT": str(port),
    }


def start(environment: Mapping[str, str], *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "oauth_web", "serve", "--no-open", *options]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8")


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    process = start(environment)
    try:
        until(lambda: answers(environment))
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(environment: Mapping[str, str]) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{environment['BUYERBLOCK_PORT']}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


def until(condition: object) -> None:
    assert callable(condition)
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends, "waited for 30 seconds"
        time.sleep(0.02)


def refusal(environment: Mapping[str, str], *options: str) -> str:
    """Return the one sentence with which the program refuses to start."""
    process = start(environment, *options)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 2, words
    assert words.count("\n") == 1, words
    return words


@pytest.mark.parametrize("ends_by", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_stops_cleanly_within_five_seconds(
    environment: dict[str, str], ends_by: signal.Signals
) -> None:
    with serving(environment) as process:
        process.send_signal(ends_by)
        assert process.wait(5) == 0


def test_the_first_pass_starts_at_once_for_a_connected_account(
    environment: dict[str, str], seller: Seller
) -> None:
    seller.receive("opt_out/it_specimen_shape.eml")
    with serving(environment):
        until(seller.blocked)


def test_it_stops_within_five_seconds_while_google_leaves_a_call_hanging(
    environment: dict[str, str], seller: Seller
) -> None:
    seller.receive("opt_out/it_specimen_shape.eml")
    reading = []

    def hang(_number: int, method: str, _email: str) -> Fault | None:
        if method == "messages.get":
            reading.append(method)
            return Fault(before=lambda: time.sleep(8))
        return None

    seller.google.fault = hang
    with serving(environment) as process:
        until(lambda: reading)
        process.terminate()
        assert process.wait(5) == 0
    assert seller.blocked() == set()


def test_a_port_in_use_gets_a_sentence(environment: dict[str, str]) -> None:
    with closing(socket.create_server(("127.0.0.1", int(environment["BUYERBLOCK_PORT"])))):
        assert "choose another with --port" in refusal(environment)


def test_a_second_server_on_the_same_folder_gets_a_sentence(environment: dict[str, str]) -> None:
    with serving(environment):
        assert "already serving" in refusal(environment | {"BUYERBLOCK_PORT": "1"})


def test_a_data_directory_that_cannot_be_written_gets_a_sentence(
    environment: dict[str, str], tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    words = refusal(environment | {"BUYERBLOCK_DATA_DIR": str(blocked / "data")})
    assert str(blocked / "data") in words


@pytest.mark.parametrize(
    "content", ["", "not json", "[]", "{}", '{"installed": {}}', '{"type": "service_account"}']
)
def test_a_client_file_that_is_none_gets_a_sentence(
    environment: dict[str, str], tmp_path: Path, content: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content, encoding="utf-8")
    assert str(path) in refusal(environment | {"BUYERBLOCK_CLIENT_SECRETS": str(path)})
    assert path.read_text(encoding="utf-8") == content


def test_listening_to_the_network_without_https_has_to_be_insisted_on(environment: dict[str, str]) -> None:
    assert "--insecure-http" in refusal(environment, "--host", "0.0.0.0")


def test_a_wrong_setting_gets_a_sentence(environment: dict[str, str]) -> None:
    assert "BUYERBLOCK_SYNC_INTERVAL" in refusal(environment | {"BUYERBLOCK_SYNC_INTERVAL": "soon"})
