"""The HTTP server: sockets in, ``Request`` values out, ``Reply`` values back, or cut off.

Connections are kept open between requests, as Google keeps them, so that latency figures are honest.
"""

import os
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from oauth_web.demo.sandbox.wire import Reply, Request, Transmit

Handle = Callable[[Request], Reply]


class Server(ThreadingHTTPServer):
    """A threaded server on loopback that can end all its connections at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # On Windows this would let two servers share a port instead of refusing the second.
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
        """End every connection, also those that wait for their next request."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                _end(connection)
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
        """Say nothing of clients that were killed in the middle of a call; that is what tests do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Connection(BaseHTTPRequestHandler):
    """One connection with its requests, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one piece: two would cost a delayed acknowledgement
    server: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        request = Request.of(self.command, self.path, dict(self.headers.items()), body)
        self._send(self.server.handle(request))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - the base class looks for these names

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
        _end(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Keep quiet; the ledger remembers every call."""


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
