"""The page and the API of a host, which many sellers share: each request is served by one seller's services.

Whose request it is says the name of its session, which begins with the number of the tenant, or its token. Nothing is
in memory that another process would miss, so any number of them may stand behind a load balancer.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from oauth_web.access.sessions import Sessions, SessionStore
from oauth_web.application import PARTS, page_of, services_of
from oauth_web.guard import browser, open_to_all
from oauth_web.services import Services, sellers
from worker.database import Database
from worker.database.postgres import Postgres
from worker.errors import StorageError
from worker.host.limits import SharedLimit
from worker.host.tenants import Tenants
from worker.parsing import whole_number

_KEPT = 500  # sellers whose services are kept ready
_MOST = 999_999_999
_BEHIND = (
    "."  # what stands behind the number of a tenant; neither a random name nor a stranger's cookie holds one
)

monitoring = Blueprint("monitoring", __name__)


def create_host_app(tenants: Tenants) -> Flask:
    """Return the page and the API of all sellers of a host. Raises StorageError."""
    parts = [it.blueprint for it in PARTS]
    return page_of(ManySellers(tenants), tenants.app(tenants.host), [*parts, monitoring])


class ManySellers:
    """The sellers of a host, as the page asks for them. Safe for threads."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._of = lru_cache(_KEPT)(self._services)
        self._strangers = self._services(tenants.host)
        self.sessions: SessionStore = _AllSessions(tenants, self._strangers.sessions)

    def current(self) -> Services:
        """Return the services of the seller whose session it is; strangers have the host's own part."""
        session = browser()
        return self.of_session(session.name) if session.is_owners else self._strangers

    def of_session(self, name: str) -> Services:
        """Return what serves an owner's session, which is known to be one."""
        tenant = _tenant_of(name)
        return self._strangers if tenant is None else self._of(tenant)

    def of_token(self, secret: str) -> Services | None:
        """Return what serves a program that shows this token; None if nobody has made it."""
        tenant = self._tenants.of_token(secret)
        return None if tenant is None else self._of(tenant)

    def admit(self, email: str) -> Services | None:
        """Return what serves this Google account: its own list, that of who let it in, or a new one."""
        tenant = self._tenants.admit(email)
        return None if tenant is None else self._of(tenant)

    def is_connected(self, email: str) -> bool:
        """Return whether any seller has connected this mailbox."""
        return self._tenants.looks.is_claimed(email)

    def is_ready(self) -> bool:
        """Return whether the database answers."""
        try:
            self._tenants.own.engine.newest()
        except StorageError:
            return False
        return True

    def _services(self, tenant: int) -> Services:
        limit = partial(SharedLimit, self._tenants.pool)
        return services_of(self._tenants.app(tenant), limit, session_prefix=f"{tenant}{_BEHIND}")


class _AllSessions:
    """The sessions of all sellers, each in its seller's part of the database; those of strangers are cookies."""

    def __init__(self, tenants: Tenants, strangers: Sessions) -> None:
        self._tenants = tenants
        self._strangers = strangers

    def get(self, cookie: str) -> dict[str, Any] | None:
        return self._of(cookie).get(cookie)

    def sealed(self, values: Mapping[str, Any]) -> str:
        return self._strangers.sealed(values)

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


def _tenant_of(name: str) -> int | None:
    number, behind, _ = name.partition(_BEHIND)
    return whole_number(number, 1, _MOST) if behind else None


@monitoring.get("/readyz")
@open_to_all
def readyz() -> ResponseReturnValue:
    """Say by the status whether this process can serve."""
    found = sellers()
    ready = isinstance(found, ManySellers) and found.is_ready()
    return jsonify(ready=ready), 200 if ready else 503
