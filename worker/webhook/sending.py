"""One POST to a checked address."""

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from threading import Timer

import certifi

from worker.errors import UsageError
from worker.webhook.target import Target, parse_target, permitted, refusal

STEP_TIMEOUT = 10.0  # seconds for each step: connect, send, wait for data
TOTAL_TIMEOUT = 20.0  # seconds for everything after the connect, against answers that come too slowly

Resolve = Callable[[str, int], list[str]]


def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def send(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    allow_private: bool,
    internet_only: bool = False,
    resolve: Resolve = addresses_of,
) -> str:
    """Post body; return "" if it was accepted (status 200 to 299), else one sentence with the reason.

    internet_only: never to this machine or a private network, even with allow_private. Redirects are not followed:
    they could lead to any address.
    """
    try:
        target = parse_target(url)
        if internet_only and target.loopback:
            return "An address on this machine is not allowed here; set one on the internet."
        allow_private = allow_private and not internet_only
        reachable = permitted(target, resolve(target.host, target.port), allow_private=allow_private)
        if not reachable:
            return str(refusal(target, allow_private=allow_private))
        status = _post(target, reachable, headers, body)
    except UsageError as error:
        return str(error)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return f"{target.host} cannot be reached: {_reason(error)}."
    if 300 <= status < 400:
        return f"{target.host} answered with a redirect ({status}); set the address it leads to."
    return "" if 200 <= status < 300 else f"{target.host} answered with status {status}."


def _reason(error: Exception) -> str:
    """Return the printable text of an error: it may contain the other side's answer."""
    reason = str(getattr(error, "strerror", None) or error) or type(error).__name__
    return "".join(char for char in reason[:200] if char.isprintable())


class _PinnedConnection(http.client.HTTPConnection):
    """A connection to one of these checked addresses, without another DNS lookup."""

    def __init__(self, target: Target, addresses: list[str]) -> None:
        super().__init__(target.host, target.port, timeout=STEP_TIMEOUT)
        self.default_port = 443 if target.https else 80  # omitted in the Host header
        self._addresses = addresses
        self._context = _context() if target.https else None

    def connect(self) -> None:
        *others, last = self._addresses
        for address in others:
            with suppress(OSError):
                return self._open(address)
        return self._open(last)

    def _open(self, address: str) -> None:
        plain = socket.create_connection((address, self.port), STEP_TIMEOUT)
        if self._context is None:
            self.sock = plain
            return
        try:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # Python on macOS and in some containers does not find the system's certificates.
    context.load_verify_locations(certifi.where())
    return context


def _post(target: Target, addresses: list[str], headers: Mapping[str, str], body: bytes) -> int:
    with closing(_PinnedConnection(target, addresses)) as connection:
        connection.connect()
        timer = Timer(TOTAL_TIMEOUT, _shut_down, (connection.sock,))
        timer.daemon = True
        timer.start()
        try:
            connection.request("POST", target.path, body, dict(headers))
            return connection.getresponse().status
        finally:
            timer.cancel()


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
