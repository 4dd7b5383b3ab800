"""The sellers of a host: who may sign in, and the ``App`` of each seller over their part of the database."""

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

HOST = ""  # the owner of the host's own tenant
_MAX_APPS = 500  # in the cache; making one takes a millisecond
_MIN_KEY = 32  # characters
# Each seller whose list an address may open, with the address that invited it. An invitation that was not accepted
# proves nothing: a stranger may invite anybody.
_INVITATIONS = """
    SELECT owner, coalesce(document ->> 'invited_by', owner) FROM owners JOIN tenants ON tenants.id = tenant_id
    WHERE key = %s ORDER BY tenant_id
"""


class Tenants:
    """The sellers, by tenant number. Thread-safe. Calls raise StorageError.

    host, host_database: the number and the database of the host's own tenant, which belongs to no seller.
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
        self.host_database = Database(Postgres(pool, self.host))
        self._apps: OrderedDict[int, App] = OrderedDict()
        self._lock = Lock()

    def app(self, tenant: int) -> App:
        """Return a seller's ``App`` from the cache, or a new one."""
        with self._lock:
            app = self._apps.pop(tenant, None) or self._new_app(tenant)
            self._apps[tenant] = app
            if len(self._apps) > _MAX_APPS:
                self._apps.popitem(last=False)
            return app

    @contextmanager
    def new_app(self, tenant: int) -> Iterator[App]:
        """Return a new ``App`` of a seller; its mailboxes are closed at the end."""
        app = self._new_app(tenant)
        try:
            with about(tenant=tenant):
                yield app
        finally:
            app.passes.close()

    def _new_app(self, tenant: int) -> App:
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
        """Return the sellers among which an account has to choose: the owner's address, and who invited the account.

        The inviter is "" after the account accepted, and for its own address, which is there if the host's rule allows
        a tenant. Empty if the account has a tenant of its own, or accepted exactly one invitation.
        """
        email = email.lower()
        invitations = self._invitations(email)
        if not invitations or len(_accepted(invitations)) == 1 or self.of_owner(email) is not None:
            return {}
        return invitations | ({email: ""} if may_sign_up(email, self.settings.host_sign_up) else {})

    def admit(self, email: str, chosen: str = "") -> int | None:
        """Return the tenant of a Google account that signs in, None if it must not enter.

        It is the account's own tenant, or the one whose invitation it accepted, or a new one if the host's rule allows
        it. chosen: one of ``choices``; required if there are any.
        """
        email = email.lower()
        if choices := self.choices(email):
            return self._add(chosen) if chosen in choices else None
        if (known := self.of_owner(email)) is not None:
            return known
        if accepted := _accepted(self._invitations(email)):
            return self.of_owner(accepted[0])
        return self._add(email) if may_sign_up(email, self.settings.host_sign_up) else None

    def _invitations(self, email: str) -> dict[str, str]:
        return dict(self._rows(_INVITATIONS, email))

    def of_owner(self, email: str) -> int | None:
        """Return the tenant of this owner, None if there is none."""
        found = self._rows("SELECT id FROM tenants WHERE owner = %s", email.lower()) if email else []
        return int(found[0][0]) if found else None

    def of_token(self, secret: str) -> int | None:
        """Return the tenant of an API token, None if it is unknown or belongs to several tenants."""
        found = self._rows("SELECT tenant_id FROM tokens WHERE key = %s", digest_of(secret))
        return int(found[0][0]) if len(found) == 1 else None

    def all(self) -> dict[int, str]:
        """Return the owners' addresses by tenant, without the host's own tenant."""
        found = self._rows("SELECT id, owner FROM tenants WHERE owner <> %s ORDER BY id", HOST)
        return {int(tenant): str(owner) for tenant, owner in found}

    def add(self, owner: str) -> int:
        """Return the tenant of an owner; create it if needed, even if the host's rule forbids it."""
        return self._add(owner.lower())

    def remove(self, tenant: int) -> None:
        """Delete all data of a seller, and stop their passes."""
        self.pool.run(lambda connection: remove_tenant(connection, tenant))
        with self._lock:
            self._apps.pop(tenant, None)

    def claim_mailbox(self, email: str, tenant: int) -> None:
        """Give a mailbox to a tenant. Raises UsageError if it belongs to another one."""
        self.app(tenant).jobs.claim(email)

    def close(self) -> None:
        """Close the sessions; the pool stays open."""
        self.sessions.close()

    def _add(self, owner: str) -> int:
        return self.pool.run(lambda connection: add_tenant(connection, owner))

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.pool.run(lambda connection: connection.execute(sql.encode(), parameters).fetchall())


def _accepted(invitations: dict[str, str]) -> list[str]:
    return [owner for owner, by in invitations.items() if not by]


def may_sign_up(email: str, rule: str) -> bool:
    """Return whether the rule allows this address. rule: ``open``, ``closed``, or domains and addresses."""
    if rule in ("open", "closed"):
        return rule == "open"
    named = {it.removeprefix("@") for it in rule.replace(",", " ").split()}
    return bool({email, email.rpartition("@")[2]} & named)


def host_sealer(settings: Settings) -> Sealer:
    """Return a sealer that encrypts with the first key of BUYERBLOCK_SECRET_KEY and decrypts with all of them.

    Raises SettingsError.
    """
    keys = (settings.secret_key or "").split()
    if not keys or any(len(key) < _MIN_KEY for key in keys):
        raise SettingsError(
            "BUYERBLOCK_SECRET_KEY has to hold a key of at least 32 random characters, the same one on every machine; "
            "former keys may follow it, each after a space."
        )
    return Sealer(*keys)
