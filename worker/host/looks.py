"""When each mailbox of a host is looked at, and whose it is: the table ``looks``, by the database's clock.

``next_look`` is NULL while an account waits for a sign-in; ``rules_at`` is when a pass last looked at labels and
filters, NULL where the next look has to begin a pass. ``unexplained`` is how many mails carry the queue's label that a
pass did not find there, such as those in Trash.
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
_ENDED = """
    UPDATE looks SET label = %s, unexplained = %s, rules_at = now(), good_at = now()
    WHERE account = %s AND tenant = %s
"""


@dataclass(frozen=True, slots=True)
class Look:
    """A mailbox to be looked at. rules_due: a pass has to begin whatever it holds. token: sealed, None without one."""

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
        """Let a mailbox be a tenant's; False where it is another's."""
        return bool(self._rows(_CLAIM, account, tenant)[0][0] == tenant)

    def is_claimed(self, account: str) -> bool:
        """Return whether a mailbox is some tenant's."""
        return bool(self._rows("SELECT FROM looks WHERE account = %s", account))

    def add(self, account: str, tenant: int, every: int) -> None:
        """Look at a mailbox at once, and begin a pass; then every so many seconds."""
        self._change(_ADD, account, tenant, every)

    def remove(self, account: str, tenant: int) -> None:
        """Look at a mailbox no longer; another tenant may have it."""
        self._change("DELETE FROM looks WHERE account = %s AND tenant = %s", account, tenant)

    def restart(self, tenant: int, every: int) -> None:
        """Look at all of a tenant's mailboxes at once, and then every so many seconds."""
        sql = "UPDATE looks SET every = %s, next_look = now() WHERE tenant = %s AND next_look IS NOT NULL"
        self._change(sql, every, tenant)

    def read(self, accounts: Sequence[str]) -> list[Look]:
        """Return what is known of these mailboxes, by tenant."""
        return [Look(*row) for row in self._rows(_READ, list(accounts))]

    def times(self, tenant: int) -> dict[str, tuple[datetime | None, datetime | None]]:
        """Return when each mailbox of a tenant was last found in order, and when it is looked at next."""
        found = self._rows("SELECT account, good_at, next_look FROM looks WHERE tenant = %s", tenant)
        return {account: (good_at, next_look) for account, good_at, next_look in found}

    def idle(self, accounts: Iterable[str]) -> None:
        """Record that nothing waits in these mailboxes."""
        if them := list(accounts):
            self._change("UPDATE looks SET good_at = now() WHERE account = ANY(%s)", them)

    def due(self, accounts: Iterable[str]) -> None:
        """Look at these mailboxes at once, as far as they do not wait for a sign-in."""
        sql = "UPDATE looks SET next_look = now() WHERE account = ANY(%s) AND next_look IS NOT NULL"
        if them := list(accounts):
            self._change(sql, them)

    def keep_token(self, account: str, token: str | None, until: datetime | None) -> None:
        """Keep an access token, sealed, for the next looks."""
        self._change(
            "UPDATE looks SET token = %s, token_until = %s WHERE account = %s", token, until, account
        )

    def ended(self, account: str, tenant: int, label: str | None, unexplained: int) -> None:
        """Record a pass that came to its end."""
        self._change(_ENDED, label, unexplained, account, tenant)

    def failed(self, account: str, tenant: int) -> None:
        """Record a pass that failed: the next look begins one, whatever it finds."""
        self._change("UPDATE looks SET rules_at = NULL WHERE account = %s AND tenant = %s", account, tenant)

    def wait_for_sign_in(self, account: str, tenant: int) -> None:
        """Stop looking at a mailbox until its owner has signed in again."""
        sql = "UPDATE looks SET next_look = NULL, rules_at = NULL, token = NULL WHERE account = %s AND tenant = %s"
        self._change(sql, account, tenant)

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._pool.run(lambda connection: connection.execute(sql.encode(), parameters).fetchall())

    def _change(self, sql: str, *parameters: object) -> None:
        self._pool.run(lambda connection: connection.execute(sql.encode(), parameters))


def claim_due(connection: Any, at_most: int) -> list[str]:
    """Return mailboxes that are due, and set when they are due again, within the transaction of a connection."""
    return [account for (account,) in connection.execute(_DUE.encode(), (at_most,))]
