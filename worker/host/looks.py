"""The table ``looks``: the owner and the next look of each mailbox of a host. It uses the database's clock.

``next_look`` is NULL while an account waits for a sign-in. ``rules_at`` is the time of the last pass that checked
labels and filters; it is NULL if the next look must start a pass. ``unexplained`` counts mails with the queue's label
that a pass could not list, such as mails in Trash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from worker.database.postgres_pool import Pool

_CLAIM = """
    INSERT INTO looks (account, tenant) VALUES (%s, %s)
    ON CONFLICT (account) DO UPDATE SET tenant = looks.tenant RETURNING tenant
"""
_ADD = """
    INSERT INTO looks (account, tenant, every, next_look) VALUES (%s, %s, %s, now())
    ON CONFLICT (account) DO UPDATE SET every = excluded.every, next_look = now(), rules_at = NULL, token = NULL
    WHERE looks.tenant = excluded.tenant
"""
_DUE = """
    WITH due AS (
        SELECT account FROM looks WHERE next_look <= now() ORDER BY next_look LIMIT %s FOR UPDATE SKIP LOCKED
    )
    UPDATE looks SET next_look = now() + every * (0.9 + 0.2 * random()) * interval '1 second'
    FROM due WHERE looks.account = due.account RETURNING looks.account
"""
_READ = """
    SELECT account, tenant, label, unexplained, rules_at IS NULL OR rules_at < now() - interval '1 hour',
        CASE WHEN token_until > now() + interval '1 minute' THEN token END
    FROM looks WHERE account = ANY(%s) AND next_look IS NOT NULL ORDER BY tenant
"""
_SUCCEEDED = """
    UPDATE looks SET label = %s, unexplained = %s, rules_at = now(), good_at = now()
    WHERE account = %s AND tenant = %s
"""


@dataclass(frozen=True, slots=True)
class Look:
    """A mailbox to look at. rules_due: start a pass even if the queue is empty. token: an encrypted access token."""

    account: str
    tenant: int
    label: str | None
    unexplained: int
    rules_due: bool
    token: str | None = field(repr=False)


class Looks:
    """The table. Raises StorageError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def claim(self, account: str, tenant: int) -> bool:
        """Give a mailbox to a tenant; return False if it belongs to another one."""
        return bool(self._rows(_CLAIM, account, tenant)[0][0] == tenant)

    def is_claimed(self, account: str) -> bool:
        return bool(self._rows("SELECT FROM looks WHERE account = %s", account))

    def add(self, account: str, tenant: int, every: int) -> None:
        """Start a pass now, then look every so many seconds. Mailboxes of other tenants are unchanged."""
        self._change(_ADD, account, tenant, every)

    def remove(self, account: str, tenant: int) -> None:
        """Stop looking at a mailbox, unless it belongs to another tenant."""
        self._change("DELETE FROM looks WHERE account = %s AND tenant = %s", account, tenant)

    def restart(self, tenant: int, every: int) -> None:
        """Look at all mailboxes of a tenant now, then every so many seconds."""
        sql = "UPDATE looks SET every = %s, next_look = now() WHERE tenant = %s AND next_look IS NOT NULL"
        self._change(sql, every, tenant)

    def read(self, accounts: Sequence[str]) -> list[Look]:
        """Return the looks of these mailboxes, ordered by tenant."""
        return [Look(*row) for row in self._rows(_READ, list(accounts))]

    def times(self, tenant: int) -> dict[str, tuple[datetime | None, datetime | None]]:
        """Return for each mailbox of a tenant the time of the last good look or pass, and of the next look."""
        found = self._rows("SELECT account, good_at, next_look FROM looks WHERE tenant = %s", tenant)
        return {account: (good_at, next_look) for account, good_at, next_look in found}

    def record_idle(self, accounts: Iterable[str]) -> None:
        """Record that the queues of these mailboxes are empty."""
        if idle := list(accounts):
            self._change("UPDATE looks SET good_at = now() WHERE account = ANY(%s)", idle)

    def make_due(self, accounts: Iterable[str]) -> None:
        """Look at these mailboxes now, except those that wait for a sign-in."""
        sql = "UPDATE looks SET next_look = now() WHERE account = ANY(%s) AND next_look IS NOT NULL"
        if due := list(accounts):
            self._change(sql, due)

    def save_token(self, account: str, token: str | None, until: datetime | None) -> None:
        """Store an encrypted access token for the next looks."""
        self._change(
            "UPDATE looks SET token = %s, token_until = %s WHERE account = %s", token, until, account
        )

    def pass_succeeded(self, account: str, tenant: int, label: str | None, unexplained: int) -> None:
        """Record a pass that succeeded."""
        self._change(_SUCCEEDED, label, unexplained, account, tenant)

    def pass_failed(self, account: str, tenant: int) -> None:
        """Record a pass that failed; the next look starts another one."""
        self._change("UPDATE looks SET rules_at = NULL WHERE account = %s AND tenant = %s", account, tenant)

    def wait_for_sign_in(self, account: str, tenant: int) -> None:
        """Stop looking at a mailbox until its owner signs in again."""
        sql = "UPDATE looks SET next_look = NULL, rules_at = NULL, token = NULL WHERE account = %s AND tenant = %s"
        self._change(sql, account, tenant)

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._pool.run(lambda connection: connection.execute(sql.encode(), parameters).fetchall())

    def _change(self, sql: str, *parameters: object) -> None:
        self._pool.run(lambda connection: connection.execute(sql.encode(), parameters))


def claim_due(connection: Any, limit: int) -> list[str]:
    """Return at most so many due mailboxes and schedule their next look, in the connection's transaction."""
    return [account for (account,) in connection.execute(_DUE.encode(), (limit,))]
