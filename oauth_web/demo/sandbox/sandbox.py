"""The sandbox as one object: a Google on loopback, with handles for tests and demos."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from oauth_web.demo.sandbox import control, oauth
from oauth_web.demo.sandbox.clock import Clock, RealClock
from oauth_web.demo.sandbox.gmail.api import answer
from oauth_web.demo.sandbox.gmail.batch import answer_batch
from oauth_web.demo.sandbox.grants import Grants
from oauth_web.demo.sandbox.handles import Handles
from oauth_web.demo.sandbox.quota import Quota
from oauth_web.demo.sandbox.refusals import not_found
from oauth_web.demo.sandbox.server import Server
from oauth_web.demo.sandbox.wire import Reply, Request
from oauth_web.demo.sandbox.world import World


class Sandbox(Handles):
    """A stand-in for Google. Use it as a context manager, or call ``start`` and ``stop``.

    port: 0 picks a free one. clock: what all times, quota windows and expiries go by. latency:
    seconds that every request takes. allowance: quota units in 60 seconds and user, None to count
    without refusing. concurrency: requests of a user in flight at once, or None.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        clock: Clock | None = None,
        latency: float = 0.0,
        allowance: int | None = 6000,
        concurrency: int | None = 20,
    ) -> None:
        clock = clock or RealClock()
        quota = Quota(clock, allowance=allowance, concurrency=concurrency)
        self._server = Server(self._dispatch, port)
        super().__init__(World(clock, quota, Grants(clock), latency=latency), self._server.url)
        self._rooms = self._by_line()
        self._lock = threading.Lock()

    def start(self) -> Self:
        self._server.start()
        return self

    def stop(self) -> None:
        """End every connection and free the port."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _dispatch(self, request: Request) -> Reply:
        """Send each request to its room. The only place that looks at first parts of paths."""
        if request.path.startswith("/sandbox/"):
            return control.answer(self, request)
        with self._lock:
            self.requests += 1
        if request.path.startswith("/gmail/v1/"):
            return answer(self.world, request)
        room = self._rooms.get((request.verb, request.path))
        return room(request) if room else not_found().reply()

    def _by_line(self) -> dict[tuple[str, str], Callable[[Request], Reply]]:
        world, clients = self.world, self.clients
        rooms: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("POST", "/token"): lambda request: oauth.token(world, clients, request),
            ("POST", "/revoke"): lambda request: oauth.revoke(world, request),
        }
        for path in ("/o/oauth2/v2/auth", "/o/oauth2/auth"):
            rooms["GET", path] = lambda request: oauth.consent_page(world, clients, request)
            rooms["POST", path] = lambda request: oauth.consent_given(world, clients, request)
        for path in ("/batch", "/batch/gmail/v1"):
            rooms["POST", path] = lambda request: answer_batch(world, request)
        return rooms
