"""PostgreSQL is back as of an earlier moment: from a backup, or as a standby that lacked the last seconds.

Notices judged after that moment are no longer in any queue, so every mailbox is searched. PostgreSQL counts such
returns as its timelines; the last one that was seen is kept among the tallies.
"""

import logging

from worker.database.postgres_pool import Connection
from worker.host.tenants import Tenants
from worker.operation.unpacking import search_again

log = logging.getLogger(__name__)

_NOW = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint"
_SEEN = "SELECT number FROM tallies WHERE what = 'timeline'"
_REMEMBER = """
    INSERT INTO tallies VALUES ('timeline', '', %s)
    ON CONFLICT (what, which) DO UPDATE SET number = excluded.number
"""
# Nobody may take later events for the lost ones of the same numbers.
_RENAME = "UPDATE tenants SET lineage = left(replace(gen_random_uuid()::text, '-', ''), 16)"


def search_after_recovery(tenants: Tenants) -> bool:
    """Have every mailbox searched from its last good pass on if PostgreSQL has returned; say whether it has.

    To be called before any pass runs. Interrupted or at the same time elsewhere, it does no harm. Raises StorageError.
    """
    now, seen = tenants.pool.run(_timelines)
    returned = seen not in (None, now)
    if returned:
        log.warning("PostgreSQL is back as of an earlier moment; every mailbox is searched from then on.")
        for tenant in tenants.all():
            _search(tenants, tenant)
    if seen != now:
        tenants.pool.run(lambda connection: _remember(connection, now, rename=returned))
    return returned


def _timelines(connection: Connection) -> tuple[int, int | None]:
    (now,), *_ = connection.execute(_NOW).fetchall()
    return now, next((seen for (seen,) in connection.execute(_SEEN).fetchall()), None)


def _search(tenants: Tenants, tenant: int) -> None:
    for email in search_again(tenants.app(tenant).accounts):
        tenants.looks.failed(email, tenant)


def _remember(connection: Connection, timeline: int, *, rename: bool) -> None:
    with connection.transaction():
        if rename:
            connection.execute(_RENAME)
        connection.execute(_REMEMBER, (timeline,))
