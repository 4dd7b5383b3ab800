"""Networks as they are: a proxy, somebody else in Google's place, IPv6 only, no network yet. The list ends up right."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from certificates import write_certificate
from flask.testing import FlaskClient
from proxies import ESTABLISHED, HOST, Proxy, behind_tls, listening, needs_ipv6, relay
from sellers import EMAIL, EXPECTED, sample

from oauth_web.application import create_app
from oauth_web.demo.sandbox import Sandbox
from oauth_web.services import NAME
from worker.app import App, build_app
from worker.errors import TransientError
from worker.settings import Settings

NOTICE = "opt_out/it_specimen_shape.eml"
BUYER = EXPECTED[NOTICE]["address"]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have tests set up the network, and not the machine that runs them."""
    for name in ("NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def program(google: Sandbox, folder: Path, url: str, *, gmail_url: str = "") -> Iterator[App]:
    """Yield the whole program over a Google that it knows under this address, its pauses cut to nothing.

    gmail_url: the address of Gmail alone, if it is another one.
    """
    secrets = folder / "client_secret.json"
    secrets.write_text(json.dumps(google.client_secrets()).replace(google.url, url), encoding="utf-8")
    settings = Settings(
        data_dir=folder,
        client_secrets=secrets,
        gmail_url=gmail_url or url,
        revoke_url=f"{url}/revoke",
        secret_key="k" * 32,
    )
    app = build_app(settings)
    app.clock.pause = lambda seconds: None  # type: ignore[method-assign] # noqa: ARG005
    yield app
    app.passes.close()


def port_of(google: Sandbox) -> int:
    return int(google.url.rpartition(":")[2])


def sign_in(
    google: Sandbox, app: App, *, base: str = "http://localhost:8000", comes_from: str = "127.0.0.1"
) -> FlaskClient:
    """Walk from our button through the consent page and back, and return the browser."""
    browser = create_app(app, say=print).test_client()
    browser.environ_base["REMOTE_ADDR"] = comes_from
    link = urlsplit(browser.application.extensions[NAME].services.start_link.show())
    assert browser.get(link.path, base_url=base).status_code == 303
    consent = browser.get("/sign-in", base_url=base).headers["Location"]
    parts = urlsplit(google.consent(google.url + consent[consent.index("/o/oauth2") :], email=EMAIL))
    answer = browser.get(f"{parts.path}?{parts.query}", base_url=f"{parts.scheme}://{parts.netloc}")
    assert answer.status_code == 303, answer.text
    return browser


def knows(names: Mapping[str, str], unknown: str = "Name or service not known") -> Callable[..., object]:
    """Return a ``socket.getaddrinfo`` that knows these names, and addresses."""
    ask = socket.getaddrinfo

    def answer(host: str, *rest: Any, **options: Any) -> object:
        if host not in names and not any(digit in host for digit in "0123456789"):
            raise socket.gaierror(socket.EAI_NONAME, unknown)
        return ask(names.get(host, host), *rest, **options)

    return answer


@pytest.fixture
def google() -> Iterator[Sandbox]:
    with Sandbox() as google:
        google.add_user(EMAIL)
        yield google


# --- a proxy


@pytest.fixture
def proxy(google: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The only way to Google is this proxy, and the environment names it."""
    authority = write_certificate(tmp_path, HOST)
    with behind_tls(port_of(google), authority) as front:
        proxy = Proxy(front)
        with listening(proxy.serve) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            monkeypatch.setenv("SSL_CERT_FILE", str(authority))
            yield proxy


@pytest.fixture
def proxied(google: Sandbox, proxy: Proxy, tmp_path: Path) -> Iterator[App]:
    assert proxy.leads_to
    with program(google, tmp_path, f"https://{HOST}") as app:
        yield app


def test_everything_goes_through_the_proxy(google: Sandbox, proxy: Proxy, proxied: App) -> None:
    asked: list[str] = []
    google.fault = lambda _number, method, _email: asked.append(method)
    google.deliver(EMAIL, sample(NOTICE))
    sign_in(google, proxied)
    google.user(EMAIL).expire_access_tokens()
    assert proxied.passes.run(EMAIL).opt_outs == 1
    proxied.disconnect(EMAIL)
    assert proxied.block_list.get(BUYER) is not None
    assert {"oauth.token", "labels.create", "messages.get", "oauth.revoke"} <= set(asked)
    assert set(proxy.asked) == {f"CONNECT {HOST}:443"}


def test_a_command_finds_the_proxy_in_its_environment(
    google: Sandbox, proxy: Proxy, proxied: App, tmp_path: Path
) -> None:
    sign_in(google, proxied)
    google.deliver(EMAIL, sample(NOTICE))
    proxy.asked.clear()
    settings = {
        "BUYERBLOCK_DATA_DIR": str(tmp_path),
        "BUYERBLOCK_GMAIL_URL": f"https://{HOST}",
        "BUYERBLOCK_SECRET_KEY": "k" * 32,
    }
    command = [sys.executable, "-m", "worker", "sync"]
    done = subprocess.run(
        command, check=False, env=os.environ | settings, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert proxied.block_list.get(BUYER) is not None
    assert set(proxy.asked) == {f"CONNECT {HOST}:443"}


def test_a_proxy_gets_its_name_and_password_without_the_escapes_of_addresses(
    google: Sandbox, proxy: Proxy, proxied: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.password = "shop:p@ss/w0rd"
    address = os.environ["HTTPS_PROXY"]
    monkeypatch.setenv("HTTPS_PROXY", address.replace("//", "//shop:p%40ss%2Fw0rd@"))
    google.deliver(EMAIL, sample(NOTICE))
    sign_in(google, proxied)
    assert proxied.passes.run(EMAIL).opt_outs == 1


REFUSALS = {
    "407": b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    "page": b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\n<html>Blocked</html>",
    "page in the tunnel": ESTABLISHED + b"<html>Please log in</html>",
    "no HTTP": b"220 mail.test ESMTP\r\n",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_proxy_that_refuses_ends_the_pass_and_not_the_sign_in(
    google: Sandbox, proxy: Proxy, proxied: App, name: str
) -> None:
    sign_in(google, proxied)
    proxied.passes.run(EMAIL)
    google.deliver(EMAIL, sample(NOTICE))
    proxy.refusal = REFUSALS[name]
    proxied.passes.close()  # and with it the open tunnel, and the access token
    with pytest.raises(TransientError):
        proxied.passes.run(EMAIL)
    account = proxied.accounts.get(EMAIL)
    assert account.state == "problem"
    assert re.fullmatch(
        r"Google could not be reached \([^()]+(\([^()]*\)[^()]*)*\)\. The next pass tries again\.",
        str(account.problem),
    )
    assert HOST not in str(account.problem), "the inner errors of libraries are not for people"
    with pytest.raises(TransientError):
        proxied.disconnect(EMAIL)
    proxy.refusal = b""
    assert proxied.passes.run(EMAIL).opt_outs == 1
    assert proxied.accounts.get(EMAIL).state == "ok"


def test_an_address_that_no_proxy_can_have_is_told_without_its_password(
    google: Sandbox, proxied: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(google, proxied)
    proxied.passes.close()
    monkeypatch.setenv("HTTPS_PROXY", "http://shop:pass#word@127.0.0.1:3128")
    with pytest.raises(TransientError, match="HTTPS_PROXY") as caught:
        proxied.passes.run(EMAIL)
    assert "pass" not in str(caught.value).replace("pass tries", "")


def test_a_certificate_that_nobody_vouches_for_is_refused_and_told(
    google: Sandbox, proxied: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(google, proxied)
    proxied.passes.close()
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(TransientError, match=r"would not be safe: .*certificate"):
        proxied.passes.run(EMAIL)
    assert proxied.accounts.get(EMAIL).state == "problem"


def test_hosts_that_no_proxy_is_for_are_reached_without_it(
    google: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "example.com,127.0.0.1")
    google.deliver(EMAIL, sample(NOTICE))
    with program(google, tmp_path, google.url) as app:
        sign_in(google, app)
        assert app.passes.run(EMAIL).opt_outs == 1
        app.disconnect(EMAIL)


def test_a_default_password_in_netrc_does_not_take_the_place_of_the_access_token(
    google: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with program(google, tmp_path, google.url) as app:
        sign_in(google, app)
        app.passes.run(EMAIL)


# --- a network that answers in Google's place, as those of hotels do

PAGE = "Content-Type: text/html\r\nContent-Length: 19\r\nConnection: close\r\n\r\n<html>Hello!</html>"
ANSWERS = {
    "a page": "200 OK\r\n",
    "a sign-in": "302 Found\r\nLocation: http://127.0.0.1:1/welcome\r\n",
    "a refusal": "401 Unauthorized\r\n",
    "a ban": "403 Forbidden\r\n",
    "a dead end": "404 Not Found\r\n",
    "a proxy's question": "407 Proxy Authentication Required\r\n",
    "a further sign-in": "511 Network Authentication Required\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("whole", [True, False], ids=["for all of Google", "for Gmail"])
def test_a_network_that_answers_in_googles_place_ends_the_pass_and_not_the_sign_in(
    google: Sandbox, tmp_path: Path, answer: str, whole: bool
) -> None:
    captive = threading.Event()

    def serve(connection: socket.socket) -> None:
        if captive.is_set():
            connection.recv(65536)
            connection.sendall(f"HTTP/1.1 {ANSWERS[answer]}{PAGE}".encode())
        else:
            relay(port_of(google))(connection)

    with listening(serve) as port:
        url = f"http://127.0.0.1:{port}"
        with program(google, tmp_path, url if whole else google.url, gmail_url=url) as app:
            sign_in(google, app)
            app.passes.run(EMAIL)
            google.deliver(EMAIL, sample(NOTICE))
            captive.set()
            app.passes.close()
            with pytest.raises(TransientError):
                app.passes.run(EMAIL)
            assert app.accounts.get(EMAIL).state == "problem"
            if whole:
                with pytest.raises(TransientError):
                    app.disconnect(EMAIL)
            captive.clear()
            assert app.passes.run(EMAIL).opt_outs == 1


# --- IPv6 only


@pytest.fixture
def ipv6_port(google: Sandbox) -> Iterator[int]:
    """The port at which Google answers, on IPv6 alone."""
    with listening(relay(port_of(google)), host="::1") as port:
        yield port


@needs_ipv6
def test_everything_works_on_ipv6_alone(google: Sandbox, tmp_path: Path, ipv6_port: int) -> None:
    google.deliver(EMAIL, sample(NOTICE))
    with program(google, tmp_path, f"http://[::1]:{ipv6_port}") as app:
        browser = sign_in(google, app, base="http://[::1]:8000", comes_from="::1")
        assert app.passes.run(EMAIL).opt_outs == 1
        assert BUYER in browser.get("/blocks", base_url="http://[::1]:8000").text
        guide = browser.get("/setup", base_url="http://[::1]:8000").text
        assert "/oauth2/callback" not in guide, "on one's own machine a Desktop app needs no address"
        app.disconnect(EMAIL)


@needs_ipv6
def test_a_name_that_leads_to_ipv6_alone_is_reached(
    google: Sandbox, tmp_path: Path, ipv6_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", knows({"localhost": "::1"}))
    with program(google, tmp_path, f"http://localhost:{ipv6_port}") as app:
        sign_in(google, app, comes_from="::1")
        app.passes.run(EMAIL)


@pytest.mark.parametrize(
    "host", ["[::2]:8000", "[fe80::1]:8000", "[::ffff:127.0.0.1]:8000", "[::1].evil.example"]
)
def test_other_addresses_of_ipv6_are_not_served(google: Sandbox, tmp_path: Path, host: str) -> None:
    with program(google, tmp_path, google.url) as app:
        browser = create_app(app, say=print).test_client()
        assert browser.get("/", headers={"Host": host}).status_code == 400
        assert browser.get("/api/v1/blocks", headers={"Host": host}).status_code == 400


# --- no network yet


def test_without_a_network_passes_fail_in_one_sentence_and_the_first_with_one_catches_up(
    google: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://localhost:{port_of(google)}"
    with program(google, tmp_path, url) as app:
        sign_in(google, app)
        app.passes.run(EMAIL)
    google.deliver(EMAIL, sample(NOTICE))
    with monkeypatch.context() as offline, program(google, tmp_path, url) as app:
        offline.setattr(socket, "getaddrinfo", knows({}))
        browser = create_app(app, say=print).test_client()
        assert browser.get("/healthz").status_code == 200
        for _ in range(2):
            with pytest.raises(TransientError):
                app.passes.run(EMAIL)
        account = app.accounts.get(EMAIL)
        assert account.state == "problem"
        assert str(account.problem) == (
            "Google could not be reached (Name or service not known). The next pass tries again."
        )
        offline.undo()
        assert app.passes.run(EMAIL).opt_outs == 1
        assert app.accounts.get(EMAIL).state == "ok"


def test_a_sign_in_without_a_network_says_so_and_can_be_done_again(
    google: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with program(google, tmp_path, f"http://localhost:{port_of(google)}") as app:
        with monkeypatch.context() as offline:
            offline.setattr(socket, "getaddrinfo", knows({}))
            with pytest.raises(AssertionError, match="could not be reached"):
                sign_in(google, app)
        sign_in(google, app)
