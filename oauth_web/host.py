"""The page and the API of a host with many sellers. Each request is served by one seller's services.

The seller is known by the session's name, which starts with the tenant's number, or by the token. Processes share
nothing in memory, so any number of them may run behind a load balancer.
"""

import logging
from collections.abc import Mapping
from contextlib import closing
from functools import lru_cache, partial
from typing import Any

from flask import Blueprint, Flask, Response, jsonify
from flask.typing import ResponseReturnValue

from oauth_web.access.client_file import read_client_file
from oauth_web.access.sessions import Sessions, SessionStore
from oauth_web.application import PARTS, page_of, print_on_terminal, services_of
from oauth_web.guard import bearer_token, browser, open_to_all
from oauth_web.server import Shutdown, limit_arenas, refuse_plain_http, run
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
from worker.operation.metrics import CONTENT_TYPE
from worker.parsing import whole_number
from worker.settings import Settings

log = logging.getLogger(__name__)

_MAX_CACHED = 500  # sellers whose services are cached
_MAX_TENANT = 999_999_999
_SEPARATOR = "."  # after the tenant's number; random names and strangers' cookies do not contain it

monitoring = Blueprint("monitoring", __name__)


def create_host_app(tenants: Tenants) -> Flask:
    """Return the page and the API of all sellers of a host. Raises StorageError."""
    parts = [it.blueprint for it in PARTS]
    return page_of(ManySellers(tenants), tenants.app(tenants.host), [*parts, monitoring])


def serve_host(settings: Settings, *, insecure_http: bool) -> None:
    """Serve the page and the API of a host until SIGTERM or Ctrl-C, then stop within five seconds.

    Raises SettingsError, UsageError or StorageError before anything has started.
    """
    refuse_plain_http(settings, insecure_http=insecure_http)
    read_client_file(settings.client_secrets)
    limit_arenas()
    with (
        closing(open_pool(database_url(settings))) as pool,
        closing(Tenants(pool, settings, SystemClock())) as tenants,
    ):
        shown = f"The host's page is at {settings.public_url or settings.own_url} (Ctrl-C stops it)"
        run(create_host_app(tenants), settings, Shutdown(), partial(print_on_terminal, shown))


class ManySellers:
    """The sellers of a host. Thread-safe."""

    def __init__(self, tenants: Tenants) -> None:
        self.tenants = tenants
        self._of = lru_cache(_MAX_CACHED)(self._services)
        self._strangers = self._services(tenants.host)
        self.sessions: SessionStore = _AllSessions(tenants, self._strangers.sessions)

    def current(self) -> Services:
        """Return the services of the session's seller; for strangers those of the host itself."""
        session = browser()
        return self.of_session(session.name) if session.is_owner else self._strangers

    def of_session(self, name: str) -> Services:
        """Return the services for an owner's session, which was verified before."""
        tenant = _tenant_of(name)
        return self._strangers if tenant is None else self._of(tenant)

    def of_token(self, secret: str) -> Services | None:
        """Return the services for a token; None for an unknown one."""
        tenant = self.tenants.of_token(secret)
        return None if tenant is None else self._of(tenant)

    def choices(self, email: str) -> Mapping[str, str]:
        """See ``Sellers.choices``."""
        return self.tenants.choices(email)

    def admit(self, email: str, chosen: str = "") -> Services | None:
        """Return the services for this Google account: of its own list, one it has entered or chosen, or a new one."""
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
    """The sessions of all sellers, each in its seller's part of the database. Strangers' sessions are cookies."""

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
        """Return the store of a session name. Nothing is cached, since the name is not verified."""
        if (tenant := _tenant_of(name)) is None:
            return self._strangers
        part = Database(Postgres(self._tenants.pool, tenant))
        return Sessions(part, self._tenants.sealer, self._tenants.clock.now)


def _prefix(tenant: int) -> str:
    return f"{tenant}{_SEPARATOR}"


def _tenant_of(name: str) -> int | None:
    number, separator, _ = name.partition(_SEPARATOR)
    return whole_number(number, 1, _MAX_TENANT) if separator else None


@monitoring.get("/readyz")
@open_to_all
def readyz() -> ResponseReturnValue:
    """Return status 200 if the database answers, else 503."""
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
    """Return the host's metrics in Prometheus' text format. Needs a token of the host itself."""
    if bearer_token() is None or services().session_prefix != _prefix(_host().host):
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
