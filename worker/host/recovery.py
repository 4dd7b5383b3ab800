"""Handle a PostgreSQL that was restored from a backup, or replaced by a standby without the last seconds.

Notices judged after the restored state are no longer in any queue, so every mailbox is searched. PostgreSQL starts a
new timeline at each recovery; the table ``tallies`` stores the last known timeline.
"""

import logging

from worker.database.postgres_pool import Connection
from worker.host.tenants import Tenants
from worker.operation.unpacking import search_again

log = logging.getLogger(__name__)

_CURRENT_TIMELINE = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint"
_KNOWN_TIMELINE = "SELECT number FROM tallies WHERE what = 'timeline'"
_SAVE_TIMELINE = """
    INSERT INTO tallies VALUES ('timeline', '', %s)
    ON CONFLICT (what, which) DO UPDATE SET number = excluded.number
"""
# New events have the same numbers as the lost ones; the new lineage distinguishes them.
_RENAME_LINEAGES = "UPDATE tenants SET lineage = left(replace(gen_random_uuid()::text, '-', ''), 16)"


def search_after_recovery(tenants: Tenants) -> bool:
    """If PostgreSQL was recovered, mark every mailbox to be searched from its last good pass; return whether it was.

    Call it before any pass runs. It is safe to interrupt it, and to run it in several processes. Raises StorageError.
    """
    current, known = tenants.pool.run(_timelines)
    recovered = known not in (None, current)
    if recovered:
        log.warning("PostgreSQL is back as of an earlier moment; every mailbox is searched from then on.")
        for tenant in tenants.all():
            _search(tenants, tenant)
    if known != current:
        tenants.pool.run(lambda connection: _save_timeline(connection, current, rename=recovered))
    return recovered


def _timelines(connection: Connection) -> tuple[int, int | None]:
    (current,), *_ = connection.execute(_CURRENT_TIMELINE).fetchall()
    return current, next((known for (known,) in connection.execute(_KNOWN_TIMELINE).fetchall()), None)


def _search(tenants: Tenants, tenant: int) -> None:
    for email in search_again(tenants.app(tenant).accounts):
        tenants.looks.pass_failed(email, tenant)


def _save_timeline(connection: Connection, timeline: int, *, rename: bool) -> None:
    with connection.transaction():
        if rename:
            connection.execute(_RENAME_LINEAGES)
        connection.execute(_SAVE_TIMELINE, (timeline,))
