"""The sellers of a host: who gets in, and each one's program, wired over their part of the database."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from worker.app import App, wire
from worker.clock import Clock
from worker.database import Database
from worker.database.postgres import Postgres
from worker.database.postgres_pool import Pool
from worker.database.postgres_schema import add_tenant, remove_tenant
from worker.errors import SettingsError
from worker.events import about
from worker.gmail.sessions import Sessions
from worker.host.accounts import HostAccounts
from worker.host.jobs import HostJobs
from worker.host.looks import Looks
from worker.owner.preferences import sync_interval
from worker.sealing import Sealer, digest_of
from worker.settings import Settings

HOST = ""  # the owner of the host's own part
_WIRED = 500  # programs that are kept ready; one more takes a millisecond
_MIN_KEY = 32  # characters
# Whoever has not entered yet may not know of it, so it takes more than to be named by a stranger.
_PLACES = """
    SELECT owner, coalesce(document ->> 'invited_by', owner) FROM owners JOIN tenants ON tenants.id = tenant_id
    WHERE key = %s ORDER BY tenant_id
"""


class Tenants:
    """The sellers, by the number of their part. Safe for threads. Calls raise StorageError.

    host, own: the number of the host's own part of the database, and that part, which is no seller's.
    sessions: HTTP sessions to Google, shared by all.
    """

    def __init__(self, pool: Pool, settings: Settings, clock: Clock) -> None:
        self.pool = pool
        self.settings = settings
        self.clock = clock
        self.looks = Looks(pool)
        self.sealer = host_sealer(settings)
        self.sessions = Sessions()
        self.host = self._add(HOST)
        self.own = Database(Postgres(pool, self.host))
        self._wired: OrderedDict[int, App] = OrderedDict()
        self._lock = Lock()

    def app(self, tenant: int) -> App:
        """Return a seller's program; the same one while it is in use."""
        with self._lock:
            app = self._wired.pop(tenant, None) or self._wire(tenant)
            self._wired[tenant] = app
            if len(self._wired) > _WIRED:
                self._wired.popitem(last=False)
            return app

    @contextmanager
    def at_work(self, tenant: int) -> Iterator[App]:
        """Lend a seller's program with mailboxes of its own, which are closed at the end."""
        app = self._wire(tenant)
        try:
            with about(tenant=tenant):
                yield app
        finally:
            app.passes.close()

    def _wire(self, tenant: int) -> App:
        database = Database(Postgres(self.pool, tenant))

        def interval() -> int:
            return sync_interval(self.settings, database)

        return wire(
            self.settings,
            self.clock,
            database,
            self.sealer,
            accounts=HostAccounts(database, self.sealer, self.looks, tenant),
            sessions=self.sessions,
            jobs=HostJobs(self.pool, tenant, interval),
            shared=True,
        )

    def choices(self, email: str) -> dict[str, str]:
        """Return among which sellers an account has to choose: their owners' addresses, each with who let it in.

        None for whoever has a tenant of their own, or has entered that of one seller. "" where they have entered
        before, and with their own address, if the host's rule lets them have a tenant.
        """
        email = email.lower()
        places = self._places(email)
        if not places or len(_entered(places)) == 1 or self.of_owner(email) is not None:
            return {}
        return places | ({email: ""} if may_sign_up(email, self.settings.host_sign_up) else {})

    def admit(self, email: str, chosen: str = "") -> int | None:
        """Return the tenant of whoever signs in with this Google account, made if the host's rule lets them in.

        It is their own, or that of the one seller whose list they have entered. chosen: one of their choices, where
        they have any; None without it.
        """
        email = email.lower()
        if choices := self.choices(email):
            return self._add(chosen) if chosen in choices else None
        if (known := self.of_owner(email)) is not None:
            return known
        if entered := _entered(self._places(email)):
            return self.of_owner(entered[0])
        return self._add(email) if may_sign_up(email, self.settings.host_sign_up) else None

    def _places(self, email: str) -> dict[str, str]:
        return dict(self._rows(_PLACES, email))

    def of_owner(self, email: str) -> int | None:
        """Return the tenant that was made for this address, None where there is none."""
        found = self._rows("SELECT id FROM tenants WHERE owner = %s", email.lower()) if email else []
        return int(found[0][0]) if found else None

    def of_token(self, secret: str) -> int | None:
        """Return whose token of the API this is, None if it is nobody's, or not one seller's alone."""
        found = self._rows("SELECT tenant_id FROM tokens WHERE key = %s", digest_of(secret))
        return int(found[0][0]) if len(found) == 1 else None

    def all(self) -> dict[int, str]:
        """Return the owners' addresses by tenant, without the host's own part."""
        found = self._rows("SELECT id, owner FROM tenants WHERE owner <> %s ORDER BY id", HOST)
        return {int(tenant): str(owner) for tenant, owner in found}

    def add(self, owner: str) -> int:
        """Return the tenant of an owner, made whatever the host's rule is."""
        return self._add(owner.lower())

    def remove(self, tenant: int) -> None:
        """Delete all that is kept of a seller, and stop their passes."""
        self.pool.run(lambda connection: remove_tenant(connection, tenant))
        with self._lock:
            self._wired.pop(tenant, None)

    def claim_mailbox(self, email: str, tenant: int) -> None:
        """Let a mailbox belong to a tenant. Raises UsageError where it is another's."""
        self.app(tenant).jobs.claim(email)

    def close(self) -> None:
        """Close the sessions; the pool stays open."""
        self.sessions.close()

    def _add(self, owner: str) -> int:
        return self.pool.run(lambda connection: add_tenant(connection, owner))

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.pool.run(lambda connection: connection.execute(sql.encode(), parameters).fetchall())


def _entered(places: dict[str, str]) -> list[str]:
    return [owner for owner, by in places.items() if not by]


def may_sign_up(email: str, rule: str) -> bool:
    """Return whether the host's rule lets this address in: ``open``, ``closed``, or domains and addresses."""
    if rule in ("open", "closed"):
        return rule == "open"
    named = {it.removeprefix("@") for it in rule.replace(",", " ").split()}
    return bool({email, email.rpartition("@")[2]} & named)


def host_sealer(settings: Settings) -> Sealer:
    """Return what seals with the first key of BUYERBLOCK_SECRET_KEY and opens with all. Raises SettingsError."""
    keys = (settings.secret_key or "").split()
    if not keys or any(len(key) < _MIN_KEY for key in keys):
        raise SettingsError(
            "BUYERBLOCK_SECRET_KEY has to hold a key of at least 32 random characters, the same one on every machine; "
            "former keys may follow it, each after a space."
        )
    return Sealer(*keys)
