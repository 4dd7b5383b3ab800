"""What the way to Google bounds: the size of an answer, its time, and where it may come from."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from ssl import SSLContext
from urllib.parse import urlsplit

import pytest
import requests
from certificates import write_certificate
from proxies import behind_tls
from sellers import EMAIL, Seller
from urllib3.util.ssl_ import create_urllib3_context

from oauth_web.demo.sandbox import Fault
from worker.errors import TransientError
from worker.gmail import api, connection
from worker.gmail.refusals import MAX_RETRY_AFTER
from worker.gmail.sessions import Sessions


class _Server(BaseHTTPRequestHandler):
    """Answers ``/bomb`` with a small answer that unpacks to a large one, and ``/drip`` with one that never ends."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/cookies":
            body = str(self.headers["Cookie"]).encode()
            self.send_response(200)
            self.send_header("Set-Cookie", "seller=one")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        body = gzip.compress(b"x" * 5_000_000) if self.path == "/bomb" else b""
        self.send_response(200)
        if self.path == "/bomb":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body) if body else 1_000_000_000))
        self.end_headers()
        try:
            self.wfile.write(body)
            while not body:
                self.wfile.write(b" " * 1000)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_connections_share_the_authorities_that_they_trust_and_no_others(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = write_certificate(tmp_path), write_certificate(tmp_path, "elsewhere.example")
    connection._context.cache_clear()
    made = []

    def make() -> SSLContext:
        made.append(create_urllib3_context())
        return made[-1]

    monkeypatch.setattr(connection, "create_urllib3_context", make)
    monkeypatch.setenv("NO_PROXY", "*")
    with behind_tls(urlsplit(server).port or 0, mine) as port:
        for authority, contexts in ((mine, 1), (mine, 1), (other, 2)):
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
            with connection.open_session() as session:
                if authority is other:
                    with pytest.raises(requests.exceptions.SSLError):
                        session.get(f"https://localhost:{port}/cookies", timeout=5)
                else:
                    assert session.get(f"https://localhost:{port}/cookies", timeout=5).ok
            assert len(made) == contexts


def test_an_answer_that_unpacks_to_too_much_is_given_up(server: str) -> None:
    with requests.Session() as session:
        connection.prepare(session, max_size=1_000_000)
        with pytest.raises(requests.exceptions.InvalidJSONError, match="too large"):
            session.get(f"{server}/bomb", timeout=5)
    with requests.Session() as session:
        connection.prepare(session)
        assert len(session.get(f"{server}/bomb", timeout=5).content) == 5_000_000


def test_an_answer_that_drips_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = count()
    monkeypatch.setattr("worker.gmail.connection.time.monotonic", lambda: float(next(seconds)))
    with requests.Session() as session:
        connection.prepare(session)
        with pytest.raises(requests.exceptions.ReadTimeout, match="too slowly"):
            session.get(f"{server}/drip", timeout=5)


def test_no_cookie_of_one_mailbox_goes_along_with_calls_of_another(server: str) -> None:
    with closing(connection.open_session()) as session:
        assert [session.get(f"{server}/cookies", timeout=5).text for _ in range(2)] == ["None", "None"]


def test_another_proxy_of_the_network_is_noticed_within_a_minute(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    now = 600.0
    monkeypatch.setattr("worker.gmail.connection.time.monotonic", lambda: now)
    with closing(connection.open_session()) as session:
        assert session.get(f"{server}/cookies", timeout=5).ok
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        now += 59
        assert session.get(f"{server}/cookies", timeout=5).ok
        now += 1
        with pytest.raises(requests.exceptions.ProxyError):
            session.get(f"{server}/cookies", timeout=5)


def test_mailboxes_share_one_session_and_one_description_of_gmail(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = seller.mailbox.labels()

    def refuse(*_: object) -> None:
        raise AssertionError("made once more")

    monkeypatch.setattr(connection, "open_session", refuse)
    monkeypatch.setattr(api, "build_from_document", refuse)
    for _ in range(3):
        with closing(seller.another_mailbox()) as mailbox:
            assert (mailbox.address(), mailbox.labels()) == (EMAIL, labels)


def test_calls_at_the_same_time_have_a_session_each_which_close_with_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sessions = Sessions()
    with sessions.borrow() as one, sessions.borrow() as other:
        assert one is not other
    with sessions.borrow() as again:
        assert again in (one, other)
        closed: list[requests.Session] = []
        monkeypatch.setattr(requests.Session, "close", lambda session: closed.append(session))  # noqa: PLW0108 - a method
        sessions.close()
        assert again.http not in closed
    assert sorted(map(id, closed)) == sorted([id(one.http), id(other.http)])


def test_a_redirect_is_an_answer_of_somebody_else(seller: Seller) -> None:
    seller.mailbox.address()
    seller.google.fault = lambda *_: Fault(location="https://elsewhere.example/")
    with pytest.raises(TransientError, match="Something other than Gmail"):
        seller.mailbox.address()


def test_two_refusals_of_a_renewed_access_token_do_not_end_the_sign_in(seller: Seller) -> None:
    seller.mailbox.address()
    faults = iter([Fault(status=401, reason="authError")] * 3)
    seller.google.fault = lambda _number, method, _email: (
        next(faults, None) if method == "getProfile" else None
    )
    assert seller.mailbox.address() == EMAIL


@pytest.mark.parametrize("seconds", [7200, 10**20])
def test_a_stated_wait_beyond_an_hour_is_an_hour(seller: Seller, seconds: int) -> None:
    seller.mailbox.address()
    seller.google.fault = lambda *_: Fault(status=503, headers=(("Retry-After", str(seconds)),))
    with pytest.raises(TransientError) as raised:
        seller.mailbox.address()
    assert raised.value.retry_after == MAX_RETRY_AFTER


@pytest.mark.parametrize("stated", ["²", "", "soon", "Fri, 99 Foo 2026", "-5"])
def test_a_stated_wait_that_is_none_is_left_out(seller: Seller, stated: str) -> None:
    seller.mailbox.address()
    faults = iter([Fault(status=503, headers=(("Retry-After", stated),))])
    seller.google.fault = lambda *_: next(faults, None)
    assert seller.mailbox.address() == EMAIL
