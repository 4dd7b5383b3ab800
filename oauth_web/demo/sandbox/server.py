"""The HTTP server: reads ``Request`` values from sockets, and writes ``Reply`` values or closes the connection.

Connections are kept open between requests, like Google's, so that latency measurements are realistic.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from oauth_web.demo.sandbox.wire import Reply, Request, Transmit

Handle = Callable[[Request], Reply]


class Server(ThreadingHTTPServer):
    """A threaded server on loopback that can close all its connections at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # On Windows this would allow two servers on one port.
    allow_reuse_address = os.name != "nt"

    def __init__(self, handle: Handle, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        self.handle = handle
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close all connections, also those that wait for their next request."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                _close(connection)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Do not log clients that were killed during a call: tests do that."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    """One connection and its requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # send headers and body in one packet, to avoid the delay of two
    server: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        request = Request.of(self.command, self.path, dict(self.headers.items()), body)
        self._send(self.server.handle(request))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - names required by the base class

    def _send(self, reply: Reply) -> None:
        if reply.transmit is Transmit.CUT:
            self._cut()
            return
        self.send_response(reply.status)
        if reply.status != 204:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if reply.transmit is Transmit.CUT_BODY:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.wfile.flush()
            self._cut()
        elif self.command != "HEAD":
            self.wfile.write(reply.body)

    def _cut(self) -> None:
        self.close_connection = True
        _close(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        """Do not log; quota.py records every call."""


def _close(connection: socket.socket) -> None:
    with suppress(OSError):  # already closed by the client
        connection.shutdown(socket.SHUT_RDWR)
