"""The page and the API of a host, which many sellers share: each request is served by one seller's services.

Whose request it is says the name of its session, which begins with the number of the tenant, or its token. Nothing is
in memory that another process would miss, so any number of them may run behind a load balancer.
"""

import logging
import signal
from collections.abc import Mapping
from contextlib import closing
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Flask, Response, jsonify
from flask.typing import ResponseReturnValue
from waitress import wasyncore

from oauth_web.access.client_file import read_client_file
from oauth_web.access.sessions import Sessions, SessionStore
from oauth_web.application import PARTS, page_of, print_on_terminal, services_of
from oauth_web.guard import browser, open_to_all, token_shown
from oauth_web.server import Ending, limit_arenas, listen, refuse_plain_http
from oauth_web.services import Services, sellers, services
from oauth_web.texts.english import text
from worker.clock import SystemClock
from worker.database import Database
from worker.database.postgres import Postgres, open_pool
from worker.errors import StorageError
from worker.host.limits import SharedLimit
from worker.host.moving import export_seller
from worker.host.operation import metrics
from worker.host.program import database_url
from worker.host.tenants import Tenants
from worker.operation.logs import log_settings
from worker.operation.metrics import CONTENT_TYPE
from worker.operation.systemd import READY, STOPPING, notify
from worker.parsing import whole_number
from worker.settings import Settings

log = logging.getLogger(__name__)

_KEPT = 500  # sellers whose services are kept ready
_MOST = 999_999_999
_BEHIND = "."  # what follows the number of a tenant; neither a random name nor a stranger's cookie holds one

monitoring = Blueprint("monitoring", __name__)


def create_host_app(tenants: Tenants) -> Flask:
    """Return the page and the API of all sellers of a host. Raises StorageError."""
    parts = [it.blueprint for it in PARTS]
    return page_of(ManySellers(tenants), tenants.app(tenants.host), [*parts, monitoring])


def serve_host(settings: Settings, *, insecure_http: bool) -> None:
    """Serve the page and the API of a host until SIGTERM or Ctrl-C, then stop within five seconds.

    Raises SettingsError, UsageError or StorageError, each one sentence, before anything has started.
    """
    refuse_plain_http(settings, insecure_http=insecure_http)
    read_client_file(settings.client_secrets)
    limit_arenas()
    with (
        closing(open_pool(database_url(settings))) as pool,
        closing(Tenants(pool, settings, SystemClock())) as tenants,
    ):
        connections: dict[int, Any] = {}
        server = listen(create_host_app(tenants), settings, connections)
        ending = Ending()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, ending.end)
        log_settings(settings, version("buyerblock"))
        print_on_terminal(
            f"The host's page is at {settings.public_url or settings.own_url} (Ctrl-C stops it)"
        )
        notify(READY)
        server.run()  # returns on SystemExit and KeyboardInterrupt
        notify(STOPPING)
        server.close()
        wasyncore.close_all(connections, ignore_all=True)


class ManySellers:
    """The sellers of a host, as the page asks for them. Safe for threads."""

    def __init__(self, tenants: Tenants) -> None:
        self.tenants = tenants
        self._of = lru_cache(_KEPT)(self._services)
        self._strangers = self._services(tenants.host)
        self.sessions: SessionStore = _AllSessions(tenants, self._strangers.sessions)

    def current(self) -> Services:
        """Return the services of the seller whose session it is; strangers have the host's own part."""
        session = browser()
        return self.of_session(session.name) if session.is_owner else self._strangers

    def of_session(self, name: str) -> Services:
        """Return what serves an owner's session, which is known to be one."""
        tenant = _tenant_of(name)
        return self._strangers if tenant is None else self._of(tenant)

    def of_token(self, secret: str) -> Services | None:
        """Return what serves a program that shows this token; None if nobody has made it."""
        tenant = self.tenants.of_token(secret)
        return None if tenant is None else self._of(tenant)

    def choices(self, email: str) -> Mapping[str, str]:
        """Return the sellers among whom this account has to choose, each with who let it in."""
        return self.tenants.choices(email)

    def admit(self, email: str, chosen: str = "") -> Services | None:
        """Return what serves this Google account: its own list, one that it has entered or chosen, or a new one."""
        tenant = self.tenants.admit(email, chosen)
        return None if tenant is None else self._of(tenant)

    def is_connected(self, email: str) -> bool:
        """Return whether any seller has connected this mailbox."""
        return self.tenants.looks.is_claimed(email)

    def _services(self, tenant: int) -> Services:
        limit = partial(SharedLimit, self.tenants.pool)
        back_up = partial(export_seller, self.tenants, tenant)
        return services_of(self.tenants.app(tenant), limit, back_up, session_prefix=_prefix(tenant))


class _AllSessions:
    """The sessions of all sellers, each in its seller's part of the database; those of strangers are cookies."""

    def __init__(self, tenants: Tenants, strangers: Sessions) -> None:
        self._tenants = tenants
        self._strangers = strangers

    def get(self, cookie: str) -> dict[str, Any] | None:
        return self._of(cookie).get(cookie)

    def stranger_cookie(self, values: Mapping[str, Any]) -> str:
        return self._strangers.stranger_cookie(values)

    def put(self, name: str, values: dict[str, Any], *, new: bool) -> None:
        self._of(name).put(name, values, new=new)

    def end(self, name: str) -> None:
        self._of(name).end(name)

    def _of(self, name: str) -> Sessions:
        """Return the sessions among which this one would be. The number may be anybody's, so nothing is kept for it."""
        if (tenant := _tenant_of(name)) is None:
            return self._strangers
        part = Database(Postgres(self._tenants.pool, tenant))
        return Sessions(part, self._tenants.sealer, self._tenants.clock.now)


def _prefix(tenant: int) -> str:
    return f"{tenant}{_BEHIND}"


def _tenant_of(name: str) -> int | None:
    number, behind, _ = name.partition(_BEHIND)
    return whole_number(number, 1, _MOST) if behind else None


@monitoring.get("/readyz")
@open_to_all
def readyz() -> ResponseReturnValue:
    """Say by the status whether this process can serve: whether the database answers."""
    ready = True
    try:
        _host().host_database.engine.newest()
    except StorageError as error:
        log.warning("%s", error)
        ready = False
    return jsonify(ready=ready), 200 if ready else 503


@monitoring.get("/metrics")
@open_to_all
def prometheus() -> ResponseReturnValue:
    """Return the host's figures in Prometheus's text format, to programs that show a token of the host itself."""
    if token_shown() is None or services().session_prefix != _prefix(_host().host):
        refusal = {
            "WWW-Authenticate": 'Bearer realm="buyerblock host"',
            "Content-Type": "text/plain; charset=utf-8",
        }
        return text("monitoring.closed") + "\n", 401, refusal
    return Response(metrics(_host()), content_type=CONTENT_TYPE)


def _host() -> Tenants:
    found = sellers()
    assert isinstance(found, ManySellers)  # noqa: S101 - create_host_app makes no other
    return found.tenants
