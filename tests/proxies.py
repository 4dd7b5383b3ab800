"""A network that lets nobody out but through a proxy, and Google behind TLS under a name that only the proxy knows."""

import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HOST = "gmail.test"  # RFC 6761: no name server knows a name that ends like this


def _has_ipv6() -> bool:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="This machine has no IPv6.")

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@contextmanager
def listening(serve: Callable[[socket.socket], None], *, host: str = "127.0.0.1") -> Iterator[int]:
    """Give every connection to a port of this machine, which is yielded, to a function in a thread of its own."""
    taken: list[socket.socket] = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])
                    threading.Thread(target=_served, args=(serve, taken[-1]), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            for it in (server, *taken):
                with suppress(OSError):
                    it.shutdown(socket.SHUT_RDWR)
            server.close()  # on Windows only this ends a wait in accept
            thread.join()


def _served(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection, suppress(OSError):
        serve(connection)


def _join(one: socket.socket, other: socket.socket) -> None:
    """Hand on what comes from either side until both have said all."""
    back = threading.Thread(target=_pour, args=(other, one), daemon=True)
    back.start()
    _pour(one, other)
    back.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def relay(port: int) -> Callable[[socket.socket], None]:
    """Return what hands a connection on to another port."""

    def serve(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as beyond:
            _join(connection, beyond)

    return serve


@contextmanager
def behind_tls(port: int, certificate: Path) -> Iterator[int]:
    """Take TLS on a port, which is yielded, and hand what is in it on to another port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            relay(port)(inside)

    with listening(serve) as front:
        yield front


@dataclass
class Proxy:
    """What a proxy does, and what it was asked for.

    leads_to: the port that HOST stands for. password: as in ``name:password``, wanted if it is not "". refusal: sent in
    place of a way out, if it is not empty. asked: what each request was, as in ``CONNECT gmail.test:443``.
    """

    leads_to: int
    password: str = ""
    refusal: bytes = b""
    asked: list[str] = field(default_factory=list)

    def serve(self, connection: socket.socket) -> None:
        head = _head(connection)
        line, _, headers = head.partition("\r\n")
        self.asked.append(line.rpartition(" ")[0])  # versions of Python differ in that of HTTP
        wanted = f"proxy-authorization: basic {b64encode(self.password.encode()).decode()}".lower()
        if self.password and wanted not in headers.lower():
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif self.refusal:
            connection.sendall(self.refusal)
        elif self.asked[-1] != f"CONNECT {HOST}:443":
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        else:
            connection.sendall(ESTABLISHED)
            relay(self.leads_to)(connection)


def _head(connection: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head and (data := connection.recv(4096)):
        head += data
    return head.decode()
