"""Measure what an idle look costs a host: CPU here, and CPU and WAL in PostgreSQL, with the sandbox in other threads.

It needs an empty database of its own, named in BUYERBLOCK_DATABASE_URL, on this machine.
"""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from oauth_web.demo.sandbox import Sandbox
from signing_in import sign_in
from worker.clock import SystemClock
from worker.database.postgres import open_pool
from worker.database.postgres_pool import Pool
from worker.database.postgres_schema import migrate
from worker.gmail.glance import Glances
from worker.host.tenants import Tenants
from worker.host.work import LOOKS_AT_ONCE, Work
from worker.settings import Settings

ROUNDS = 20
_TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the figures; it takes about a minute."""
    url = os.environ.get("BUYERBLOCK_DATABASE_URL")
    if not url:
        print("== host: left out; name an empty database in BUYERBLOCK_DATABASE_URL")
        return
    migrate(url)
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox() as google,
        closing(open_pool(url, connections=4)) as pool,
    ):
        folder = Path(name)
        settings = Settings(
            data_dir=folder,
            client_secrets=folder / "client_secret.json",
            gmail_url=google.url,
            revoke_url=google.revoke_url,
            secret_key="k" * 32,
        )
        google.quota.allowance = None
        measure(Tenants(pool, settings, SystemClock()), google, folder)


def measure(tenants: Tenants, google: Sandbox, folder: Path) -> None:
    tenant, work = tenants.add("owner@gmail.com"), Work(tenants)
    emails = [f"seller{number}@gmail.com" for number in range(LOOKS_AT_ONCE)]
    for email in emails:
        google.add_user(email)
        tenants.app(tenant).connect(sign_in(google, folder, email))
        work.run_pass(email, tenant)
    work.look(emails)  # gets access tokens
    looks = tenants.looks.read(emails)
    glances = Glances(tenants.settings.gmail_url, tenants.clock, tenants.sessions)
    keys = [(tenants.sealer.unseal(it.token or ""), it.label or "") for it in looks]

    def alone() -> None:
        for token, label in keys:
            glances.count(token, label)

    # Each is due again as soon as it was planned.
    ask(tenants.pool, "UPDATE looks SET every = 0, next_look = now() RETURNING 1")

    def planned() -> None:
        work.plan()
        ask(tenants.pool, "DELETE FROM procrastinate_jobs RETURNING 1")
        work.look(emails)

    report("an idle look alone", alone, tenants.pool)
    report("an idle look with its plan and its job", planned, tenants.pool)


def report(what: str, work: Callable[[], None], pool: Pool) -> None:
    work()
    cpu, database, wal, began = time.thread_time(), cpu_of_database(pool), written(pool), time.perf_counter()
    for _ in range(ROUNDS):
        work()
    looks = ROUNDS * LOOKS_AT_ONCE
    seconds = time.perf_counter() - began
    print(
        f"{what}: CPU {(time.thread_time() - cpu) / looks * 1000:.2f} ms here, "
        f"{(cpu_of_database(pool) - database) / looks * 1000:.2f} ms in PostgreSQL, "
        f"WAL {(written(pool) - wal) / looks / 1000:.2f} KB; {looks / seconds:.0f} looks a second and thread",
        flush=True,
    )


def cpu_of_database(pool: Pool) -> float:
    """Return the seconds of CPU that the present connections have taken."""
    pids = ask(pool, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
    stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for (pid,) in pids)
    return sum(int(it[11]) + int(it[12]) for it in stats) / _TICK


def written(pool: Pool) -> int:
    """Return the bytes of WAL that were ever written."""
    return int(ask(pool, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")[0][0])


def ask(pool: Pool, sql: str) -> list[tuple[Any, ...]]:
    """Return what a question selects."""
    return pool.run(lambda connection: connection.execute(sql.encode()).fetchall())


if __name__ == "__main__":
    main()
