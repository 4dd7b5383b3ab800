"""Measure a host's page and API with 1,000 sellers of 1,000 blocks each, and one of 100,000.

BUYERBLOCK_DATABASE_URL names a PostgreSQL server. SQLite's answer to the same keys, in process and without HTTP,
is printed beside it.
"""

import threading
from datetime import UTC, datetime

from waitress import create_server

from benchmarks.filling import fill, fill_review
from benchmarks.host import ask
from benchmarks.http import ask as ask_api
from benchmarks.http import batches, beside
from benchmarks.http import report as report_questions
from benchmarks.pages import REVIEWED, paths, report, signed_in
from hosting import new_host
from oauth_web.host import create_host_app
from worker.database.schema import TABLES
from worker.host.tenants import Tenants
from worker.owner.tokens import Tokens

SELLERS = 1_000
SMALL, LARGE = 1_000, 100_000  # blocks
CHECK_WANTED, PAGE_WANTED = 15.0, 60.0  # milliseconds
_ROWS = """
    INSERT INTO "{table}" (tenant_id, key, document)
    SELECT tenants.id, key, document FROM "{table}", tenants WHERE tenant_id = %s AND owner LIKE 'copy%%' RETURNING 1
"""


def main() -> None:
    """Print the figures."""
    with new_host() as (tenants, *_):
        large, small = filled(tenants, "large@gmail.com", LARGE), filled(tenants, "small@gmail.com", SMALL)
        for number in range(SELLERS - 1):
            tenants.add(f"copy{number}@gmail.com")
        for table in TABLES:
            ask(tenants.pool, _ROWS.format(table=table), small)
        tenants.pool.run(lambda connection: connection.execute("VACUUM ANALYZE"))
        for tenant, size in ((small, SMALL), (large, LARGE)):
            measure(tenants, tenant, size)


def filled(tenants: Tenants, owner: str, size: int) -> int:
    """Return a seller with so many blocks."""
    tenant = tenants.add(owner)
    fill(tenants.app(tenant).block_list, size)
    fill_review(tenants.app(tenant).review, REVIEWED if size == LARGE else 10)
    return tenant


def measure(tenants: Tenants, tenant: int, size: int) -> None:
    """Print the figures of one seller."""
    app, page, asked = tenants.app(tenant), create_host_app(tenants), batches(size)
    server = create_server(page, host="127.0.0.1", port=0)
    threading.Thread(target=server.run, daemon=True).start()
    token = Tokens(app.database).create("benchmark", "read", now=datetime.now(UTC))
    ours = [ask_api(server.effective_port, token, keys) for keys in asked]
    report_questions(
        f"a seller with {size:,} blocks of {SELLERS + 1:,}", ours, beside(asked, size), CHECK_WANTED
    )
    at_home = {"/setup"}  # a host has its client file from its settings
    pages = (it for it in paths(size) if it not in at_home)
    report(app, signed_in(page, f"{tenant}.benchmark"), pages, f"{size:,} blocks on a host", PAGE_WANTED)


if __name__ == "__main__":
    main()
