"""What happens to a message on its way."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from certificates import write_certificate

from worker.webhook import sending
from worker.webhook.sending import send

PUBLIC = "93.184.215.14"


class Server(HTTPServer):
    status = 200
    location = ""
    trickle = False
    patient = False
    finished: threading.Event
    got: list[tuple[str, str, bytes]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Host"], body))
        if self.server.trickle:
            self.wfile.write(b"HTTP/1.1 ")
            with suppress(OSError):  # who asked has gone
                for _ in range(500):
                    if self.server.finished.wait(0.01):
                        return
                    self.wfile.write(b"2")
                self.server.patient = True
            return
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.got, server.finished = [], threading.Event()
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.finished.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def post(url: str, *, allow_private: bool = False, answers: list[str] | None = None) -> str:
    def resolve(_host: str, _port: int) -> list[str]:
        return answers or ["127.0.0.1"]

    return send(url, {"webhook-id": "1"}, b"{}", allow_private=allow_private, resolve=resolve)


def test_a_message_arrives_on_this_machine(server: Server) -> None:
    url = f"http://localhost:{server.server_port}/hook?a=1"
    assert send(url, {}, b'{"a": 1}', allow_private=False) == ""
    assert server.got == [("/hook?a=1", f"localhost:{server.server_port}", b'{"a": 1}')]


@pytest.mark.parametrize("allow_private", [False, True])
def test_a_name_of_somebody_else_does_not_lead_to_this_machine(server: Server, allow_private: bool) -> None:
    problem = post(f"https://rebound.example:{server.server_port}/", allow_private=allow_private)
    assert "not allowed" in problem
    assert server.got == []


def test_the_name_is_asked_once_and_the_connection_goes_where_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    connected: list[tuple[str, int]] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["10.0.0.1", PUBLIC] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address: tuple[str, int], _timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(socket, "create_connection", connect)
    problem = send("https://shop.example/", {}, b"{}", allow_private=False, resolve=resolve)
    assert problem == "shop.example cannot be reached: refused."
    assert asked == ["shop.example"]
    assert connected == [(PUBLIC, 443)]


def test_the_next_address_is_tried_when_one_does_not_answer(server: Server) -> None:
    # The server listens on the second one only.
    assert post(f"http://localhost:{server.server_port}/", answers=["::1", "127.0.0.1"]) == ""


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_good_status_is_taken_for_a_yes(server: Server, status: int) -> None:
    server.status = status
    assert post(f"http://localhost:{server.server_port}/") == ""


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_every_other_status_is_a_failure(server: Server, status: int) -> None:
    server.status = status
    assert f"status {status}" in post(f"http://localhost:{server.server_port}/")


def test_a_redirect_is_not_followed(server: Server) -> None:
    server.status, server.location = 307, f"http://localhost:{server.server_port}/elsewhere"
    assert "redirect" in post(f"http://localhost:{server.server_port}/")
    assert [path for path, *_ in server.got] == ["/"]


def test_a_name_that_nobody_knows_is_a_failure() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("Name or service not known")

    problem = send("https://shop.example/", {}, b"", allow_private=False, resolve=resolve)
    assert problem == "shop.example cannot be reached: Name or service not known."


def test_an_answer_that_never_ends_is_cut(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TOTAL_TIMEOUT", 0.05)
    server.trickle = True
    assert "cannot be reached" in post(f"http://localhost:{server.server_port}/")
    assert not server.patient  # we ended it, not the server


def test_what_is_no_http_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert "cannot be reached" in post(f"http://localhost:{listening.getsockname()[1]}/")
        thread.join()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, and its key."""
    return write_certificate(tmp_path)


@pytest.fixture
def secure_server(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as server:
        yield server


def test_https_is_checked_against_the_name_not_the_address(
    secure_server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("certifi.where", lambda: str(certificate))
    assert post(f"https://localhost:{secure_server.server_port}/") == ""
    assert secure_server.got[0][1] == f"localhost:{secure_server.server_port}"
    problem = post(f"https://127.0.0.1:{secure_server.server_port}/")
    assert "cannot be reached" in problem
    assert "certificate" in problem


def test_a_certificate_that_nobody_vouches_for_is_refused(secure_server: Server) -> None:
    problem = post(f"https://localhost:{secure_server.server_port}/")
    assert "certificate verify failed" in problem
    assert secure_server.got == []


def test_what_is_no_http_steers_no_terminal() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"\x1b]0;mine\x07" + b"x" * 60_000 + b"\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        told = send(f"http://localhost:{other.getsockname()[1]}/", {}, b"{}", allow_private=False)
    assert told.startswith("localhost cannot be reached: ]0;minexxx")
    assert told.isprintable()
    assert len(told) < 300


@pytest.mark.parametrize(
    "url", ["http://localhost:9/hook", "https://127.0.0.1:9/", "https://10.0.0.8/", "https://[::1]/"]
)
def test_who_shares_a_machine_reaches_nothing_in_its_network_even_if_that_was_allowed(url: str) -> None:
    assert "not allowed" in send(url, {}, b"{}", allow_private=True, internet_only=True)
