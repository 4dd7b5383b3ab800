"""The sandbox as one object: a stand-in for Google on loopback, with methods for tests and demos."""

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

    port: 0 picks a free one. clock: for all times, quota windows and expiries. latency: seconds that every request
    takes. allowance: quota units per 60 seconds and user, None for no limit. concurrency: requests in flight per user,
    None for no limit.
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
        self._routes = self._make_routes()
        self._lock = threading.Lock()

    def start(self) -> Self:
        self._server.start()
        return self

    def stop(self) -> None:
        """Close all connections and free the port."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _dispatch(self, request: Request) -> Reply:
        """Route a request."""
        if request.path.startswith("/sandbox/"):
            return control.answer(self, request)
        with self._lock:
            self.requests += 1
        if request.path.startswith("/gmail/v1/"):
            return answer(self.world, request)
        route = self._routes.get((request.verb, request.path))
        return route(request) if route else not_found().reply()

    def _make_routes(self) -> dict[tuple[str, str], Callable[[Request], Reply]]:
        world, clients = self.world, self.clients
        routes: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("POST", "/token"): lambda request: oauth.token(world, clients, request),
            ("POST", "/revoke"): lambda request: oauth.revoke(world, request),
        }
        for path in ("/o/oauth2/v2/auth", "/o/oauth2/auth"):
            routes["GET", path] = lambda request: oauth.consent_page(world, clients, request)
            routes["POST", path] = lambda request: oauth.consent_given(world, clients, request)
        for path in ("/batch", "/batch/gmail/v1"):
            routes["POST", path] = lambda request: answer_batch(world, request)
        return routes
