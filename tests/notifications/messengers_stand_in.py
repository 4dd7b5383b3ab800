"""The other side of messengers on this machine, reached by the library's own requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class StandIn:
    """Takes what is posted. status: what it answers."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port = server.server_port
        self.taken: list[tuple[str, str]] = []  # path and body
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def standing_in() -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if stand_in.status == 200:
                stand_in.taken.append((self.path, body))
            answer = b"ok" if self.path.startswith("/services/") else b'{"ok": true, "result": {}}'
            self.send_response(stand_in.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in = StandIn(server)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
