"""``buyerblock serve`` as a process: how it starts, how it refuses to, how it stops."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest
import requests
from flask import Flask
from folders import block_list_in
from proxies import needs_ipv6
from sellers import EMAIL, Seller
from serving import answers, environment_for, page_of, serving, sign_in_on_the_page, start, start_link, until

from oauth_web.demo.sandbox import Fault, Sandbox
from oauth_web.server import listen, refuse_plain_http
from worker.errors import SettingsError, UsageError
from worker.operation.backup import backup
from worker.settings import Settings

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="Signals and file modes as POSIX systems have them."
)


@pytest.fixture
def environment(google: Sandbox, tmp_path: Path) -> dict[str, str]:
    return environment_for(google, tmp_path)


@pytest.fixture(scope="module")
def unowned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of a server that nobody owns yet."""
    with Sandbox() as google:
        environment = environment_for(google, tmp_path_factory.mktemp("unowned"))
        with serving(environment):
            yield environment


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


@pytest.fixture
def reading(seller: Seller) -> Iterator[list[str]]:
    """The calls to read a mail so far; Google leaves each of them hanging for longer than a stop may take."""
    calls, done = [], threading.Event()

    def hang(_number: int, method: str, _email: str) -> Fault | None:
        if method == "messages.get":
            calls.append(method)
            return Fault(before=lambda: done.wait(8))
        return None

    seller.google.fault = hang
    yield calls
    done.set()


def test_it_stops_within_five_seconds_while_google_leaves_a_call_hanging(
    environment: dict[str, str], seller: Seller, reading: list[str]
) -> None:
    seller.receive("opt_out/it_specimen_shape.eml")
    with serving(environment) as process:
        until(lambda: reading)
        process.terminate()
        assert process.wait(5) == 0
    assert seller.blocked() == set()


@needs_ipv6
def test_it_serves_on_ipv6_alone_and_says_where(environment: dict[str, str]) -> None:
    environment["BUYERBLOCK_HOST"] = "[::1]"
    with serving(environment) as process:
        process.terminate()
        _, words = process.communicate(timeout=30)
    assert f"buyerblock is at http://[::1]:{environment['BUYERBLOCK_PORT']}/ " in words


def test_a_host_that_is_none_gets_a_sentence(tmp_path: Path) -> None:
    nowhere = Settings(data_dir=tmp_path, client_secrets=tmp_path / "none", host="shop.invalid")
    with pytest.raises(UsageError, match="choose another with --host"):
        listen(Flask("page"), nowhere, {})


def test_a_service_keeps_its_log_and_why_it_ended_in_the_data_folder(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "buyerblock.log"
    with closing(socket.create_server(("127.0.0.1", int(environment["BUYERBLOCK_PORT"])))):
        assert "choose another with --port" in refusal(environment, "--log-file")
    assert "choose another with --port" in log.read_text(encoding="utf-8")

    with serving(environment, "--log-file") as process:
        process.terminate()
        _, words = process.communicate(timeout=30)
    assert words.count("\n") == 1, "where the page is, and nothing else"
    assert "starts with these settings" in log.read_text(encoding="utf-8")
    assert "/start/" in log.read_text(encoding="utf-8")


def test_a_second_server_on_the_same_folder_gets_a_sentence(environment: dict[str, str]) -> None:
    with serving(environment):
        assert "already serving" in refusal(environment | {"BUYERBLOCK_PORT": "1"})


def test_who_starts_it_twice_to_see_the_page_sees_it(environment: dict[str, str], tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n', encoding="utf-8")
    browser.chmod(0o755)
    with serving(environment):
        assert "already serving" in refusal(environment | {"BROWSER": f"{browser} %s"}, "--open")
    opened = (tmp_path / "opened").read_text(encoding="utf-8").strip()
    assert opened == f"http://localhost:{environment['BUYERBLOCK_PORT']}/"


def test_a_data_directory_that_cannot_be_written_gets_a_sentence(
    environment: dict[str, str], tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    words = refusal(environment | {"BUYERBLOCK_DATA_DIR": str(blocked / "data")})
    assert str(blocked / "data") in words


def test_a_client_file_that_is_none_gets_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text("not json", encoding="utf-8")
    assert str(path) in refusal(environment | {"BUYERBLOCK_CLIENT_SECRETS": str(path)})
    assert path.read_text(encoding="utf-8") == "not json"


def test_being_reached_from_elsewhere_without_https_has_to_be_insisted_on(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert "--insecure-http" in refusal(environment | {"BUYERBLOCK_HOST": "0.0.0.0"})
    public = Settings(
        data_dir=tmp_path, client_secrets=tmp_path / "none", public_url="http://list.example.com"
    )
    with pytest.raises(SettingsError, match="--insecure-http"):
        refuse_plain_http(public, insecure_http=False)
    refuse_plain_http(public, insecure_http=True)


def test_nobody_owns_the_page_by_coming_first_however_much_it_looks_like_home(
    environment: dict[str, str],
) -> None:
    """A proxy on this machine may write our own name into Host and add no header at all."""
    with serving(environment) as process, requests.Session() as owner, requests.Session() as stranger:
        page, link = page_of(environment), start_link(process, environment)
        assert stranger.get(f"{page}/sign-in", allow_redirects=False, timeout=30).status_code == 403
        assert owner.head(link, timeout=30).status_code == 405, "who only looks does not use it up"
        assert owner.get(link, timeout=30).ok
        assert owner.get(f"{page}/sign-in", allow_redirects=False, timeout=30).status_code == 302
        assert stranger.get(link, timeout=30).status_code == 403
        assert start_link(process, environment) != link, "the next one is printed"


def test_it_opens_the_link_for_the_first_owner_itself(environment: dict[str, str], tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n', encoding="utf-8")
    browser.chmod(0o755)
    with serving(environment | {"BROWSER": f"{browser} %s"}, "--open"):
        until((tmp_path / "opened").exists)
        until(lambda: "/start/" in (tmp_path / "opened").read_text(encoding="utf-8"))


@pytest.mark.parametrize("header", ["Content-Length: 31000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    "shown", ["", "Cookie: buyerblock-8000=forged\r\n", "Authorization: Bearer forged\r\n"]
)
def test_a_strangers_upload_is_refused_before_it_is_kept(
    unowned: Mapping[str, str], header: str, shown: str
) -> None:
    address = ("127.0.0.1", int(unowned["BUYERBLOCK_PORT"]))
    with closing(socket.create_connection(address, timeout=30)) as stranger:
        stranger.sendall(
            f"POST /settings/restore HTTP/1.1\r\nHost: localhost\r\n{shown}{header}\r\n\r\n".encode()
        )
        if header.endswith("chunked"):
            with suppress(ConnectionError):
                for _ in range(40):
                    stranger.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        with suppress(ConnectionError):
            assert stranger.recv(64).split()[1] == b"413"


def test_a_wrong_setting_gets_a_sentence(environment: dict[str, str]) -> None:
    assert "BUYERBLOCK_SYNC_INTERVAL" in refusal(environment | {"BUYERBLOCK_SYNC_INTERVAL": "soon"})


def test_a_backup_is_restored_on_the_page_and_the_server_goes_on_with_it(
    environment: dict[str, str], google: Sandbox, tmp_path: Path
) -> None:
    with block_list_in(tmp_path) as blocks:
        blocks.block(["111-1111111-1111111"], by="test")
        backup(tmp_path, tmp_path / "saved")
        blocks.block(["222-2222222-2222222"], by="test")
    with serving(environment) as process, requests.Session() as browser:
        assert browser.get(start_link(process, environment), timeout=30).ok
        sign_in_on_the_page(browser, google, environment, EMAIL)
        answer = restored(browser, environment, tmp_path / "saved", csrf_token(browser, environment))
        assert "Buyers on its block list: 1" in answer.text
        until(lambda: list(tmp_path.glob("restore-*.replaced")))
        until(lambda: answers(environment))
        assert process.poll() is None, "the same process goes on"
        with block_list_in(tmp_path) as blocks:
            assert {block.key for block in blocks.blocks()} == {"111-1111111-1111111"}
        settings = browser.get(f"{page_of(environment)}/settings", timeout=30)
        assert settings.status_code == 401, "everybody is signed out"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def csrf_token(browser: requests.Session, environment: Mapping[str, str]) -> str:
    settings = browser.get(f"{page_of(environment)}/settings", timeout=30).text
    return settings.split('name="csrf_token" value="')[1].split('"')[0]


def restored(
    browser: requests.Session, environment: Mapping[str, str], saved: Path, token: str
) -> requests.Response:
    return browser.post(
        f"{page_of(environment)}/settings/restore",
        data={"csrf_token": token, "sure": "on"},
        files={"file": saved.read_bytes()},
        timeout=30,
    )


def test_a_restore_that_was_asked_for_twice_does_not_end_the_server(
    environment: dict[str, str], google: Sandbox, tmp_path: Path
) -> None:
    with block_list_in(tmp_path) as blocks:
        blocks.block(["111-1111111-1111111"], by="test")
    backup(tmp_path, tmp_path / "saved")
    with serving(environment) as process, requests.Session() as browser:
        assert browser.get(start_link(process, environment), timeout=30).ok
        sign_in_on_the_page(browser, google, environment, EMAIL)
        token = csrf_token(browser, environment)
        for _ in range(2):
            assert restored(browser, environment, tmp_path / "saved", token).ok
        # Asking wakes the server, so that it begins to start anew between the two wishes for it.
        until(lambda: answers(environment) and len(list(tmp_path.glob("restore-*.replaced"))) == 2)
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"it ended with {process.wait(2)}")
        assert answers(environment)


def test_a_signal_stops_a_server_in_time_that_is_about_to_start_anew(
    environment: dict[str, str], seller: Seller, reading: list[str], tmp_path: Path
) -> None:
    """The new start is held up by a pass whose call hangs."""
    seller.receive("opt_out/it_specimen_shape.eml")
    backup(tmp_path, tmp_path / "saved")
    with serving(environment) as process, requests.Session() as browser:
        until(lambda: reading)
        assert browser.get(start_link(process, environment), timeout=30).ok
        sign_in_on_the_page(browser, seller.google, environment, EMAIL)
        until(lambda: len(reading) > 1)
        assert restored(browser, environment, tmp_path / "saved", csrf_token(browser, environment)).ok
        until(lambda: not answers(environment))
        process.terminate()
        assert process.wait(5) == 0
