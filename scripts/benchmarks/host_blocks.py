"""Measure a host's page and API with 1,000 sellers of 1,000 blocks each, and one of 100,000.

BUYERBLOCK_DATABASE_URL names a PostgreSQL server. It is compared with SQLite for the same keys, in
process and without HTTP.
"""

import threading
from datetime import UTC, datetime

from waitress import create_server

from benchmarks.filling import fill, fill_review
from benchmarks.host import query
from benchmarks.http import ask as ask_api
from benchmarks.http import batches, sqlite_time
from benchmarks.http import report as report_requests
from benchmarks.pages import REVIEWED, paths, report, signed_in
from hosting import new_host
from oauth_web.host import create_host_app
from worker.database.schema import TABLES
from worker.host.tenants import Tenants
from worker.owner.tokens import Tokens

SELLERS = 1_000
SMALL, LARGE = 1_000, 100_000  # blocks
CHECK_TARGET, PAGE_TARGET = 15.0, 60.0  # milliseconds
_COPY_ROWS = """
    INSERT INTO "{table}" (tenant_id, key, document)
    SELECT tenants.id, key, document FROM "{table}", tenants WHERE tenant_id = %s AND owner LIKE 'copy%%' RETURNING 1
"""


def main() -> None:
    with new_host() as (tenants, *_):
        large = new_seller(tenants, "large@gmail.com", LARGE)
        small = new_seller(tenants, "small@gmail.com", SMALL)
        for number in range(SELLERS - 1):
            tenants.add(f"copy{number}@gmail.com")
        for table in TABLES:
            query(tenants.pool, _COPY_ROWS.format(table=table), small)
        tenants.pool.run(lambda connection: connection.execute("VACUUM ANALYZE"))
        for tenant, size in ((small, SMALL), (large, LARGE)):
            measure(tenants, tenant, size)


def new_seller(tenants: Tenants, owner: str, size: int) -> int:
    """Create a seller with so many blocks; return the tenant."""
    tenant = tenants.add(owner)
    fill(tenants.app(tenant).block_list, size)
    fill_review(tenants.app(tenant).review, REVIEWED if size == LARGE else 10)
    return tenant


def measure(tenants: Tenants, tenant: int, size: int) -> None:
    app, page, requests = tenants.app(tenant), create_host_app(tenants), batches(size)
    server = create_server(page, host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    token = Tokens(app.database).create("benchmark", "read", now=datetime.now(UTC))
    ours = [ask_api(server.effective_port, token, keys) for keys in requests]
    report_requests(
        f"a seller with {size:,} blocks of {SELLERS + 1:,}", ours, sqlite_time(requests, size), CHECK_TARGET
    )
    skipped = {"/setup"}  # a host gets its client file from its settings
    pages = (it for it in paths(size) if it not in skipped)
    report(app, signed_in(page, f"{tenant}.benchmark"), pages, f"{size:,} blocks on a host", PAGE_TARGET)


if __name__ == "__main__":
    main()
