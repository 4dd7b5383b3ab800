"""Connections that ask for nothing, or for ever: the page answers beside hundreds of them, and they are closed."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from serving import answers, environment_for, serving, until

from oauth_web.connections import most_connections
from oauth_web.demo.sandbox import Sandbox

if sys.platform == "win32":
    pytest.skip("Limits of open files as POSIX systems have them.", allow_module_level=True)

import resource

HEADER = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Drip: "
BODY = b"POST /sign-out HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"


class Held:
    """A connection that sends this and then, if it drips, a byte at each look."""

    def __init__(self, address: tuple[str, int], begins: bytes) -> None:
        self._drips = bool(begins)
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.sendall(begins)
        self.socket.setblocking(False)

    def is_open(self) -> bool:
        """Return whether the server still holds it."""
        try:
            if self._drips:
                self.socket.send(b"x")
            return self.socket.recv(1) != b""
        except BlockingIOError:
            return True
        except ConnectionError:
            return False


@pytest.fixture
def many_files() -> Iterator[None]:
    """Room for the sockets of this test, and for those of the server that it starts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("many_files")
def test_hundreds_of_silent_and_dripping_connections_do_not_stop_the_page_and_are_closed(
    google: Sandbox, tmp_path: Path
) -> None:
    environment = environment_for(google, tmp_path)
    address = ("127.0.0.1", int(environment["BUYERBLOCK_PORT"]))
    with serving(environment), ExitStack() as stack:
        held = [Held(address, begins) for _ in range(200) for begins in (b"", HEADER, BODY)]
        for it in held:
            stack.callback(it.socket.close)
        assert all(it.is_open() for it in held)
        assert answers(environment)

        def closed() -> bool:
            held[:] = [it for it in held if it.is_open()]
            return not held

        until(closed, seconds=120, every=0.5)
        assert answers(environment)


@pytest.mark.parametrize(
    ("files", "connections"),
    [(resource.RLIM_INFINITY, 1000), (20_000, 1000), (1024, 896), (256, 128), (100, 50)],
)
def test_files_are_left_for_the_rest_of_the_program(
    monkeypatch: pytest.MonkeyPatch, files: int, connections: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert most_connections() == connections
