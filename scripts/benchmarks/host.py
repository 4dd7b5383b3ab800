"""Measure CPU and WAL of a host's looks, in the worker and in PostgreSQL, with the sandbox on the same machine.

BUYERBLOCK_DATABASE_URL names a PostgreSQL server on this machine.
"""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hosting import connect, environment, new_host, worker
from oauth_web.demo.sandbox import Sandbox
from worker.database.postgres_pool import Pool
from worker.gmail.glance import Glances
from worker.host.tally import tallies
from worker.host.tenants import Tenants
from worker.host.work import LOOKS_PER_JOB, Work

ROUNDS = 20
MAILBOXES = 10_000  # for worker processes; most are copies of a few real ones
SECONDS = 20.0
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Each mailbox is due again immediately.
_ALWAYS_DUE = "UPDATE looks SET every = 0, next_look = now() RETURNING 1"
_COPY_LOOKS = """
    INSERT INTO looks SELECT account || n, tenant, 0, now(), good_at, now(), label, unexplained, token, token_until
    FROM looks, generate_series(1, %s) AS n RETURNING 1
"""


def main() -> None:
    """It takes about two minutes."""
    with new_host() as (tenants, google, folder, url):
        measure(tenants, google, folder)
        query(tenants.pool, _COPY_LOOKS, MAILBOXES // LOOKS_PER_JOB - 1)
        for processes in (1, 2):
            measure_workers(processes, tenants, environment(tenants, url), folder / "log")


def measure(tenants: Tenants, google: Sandbox, folder: Path) -> None:
    """Print the cost of an idle look, alone and as a worker does it."""
    work, emails = Work(tenants), connect(tenants, google, folder, 1, LOOKS_PER_JOB)
    for email, tenant in emails.items():
        work.run_pass(email, tenant)
    work.look(list(emails))  # to get access tokens
    looks = tenants.looks.read(list(emails))
    glances = Glances(tenants.settings.gmail_url, tenants.clock, tenants.sessions)
    keys = [(tenants.sealer.unseal(it.token or ""), it.label or "") for it in looks]

    def look_only() -> None:
        for token, label in keys:
            glances.count(token, label)

    query(tenants.pool, _ALWAYS_DUE)

    def with_plan_and_job() -> None:
        work.plan()
        query(tenants.pool, "DELETE FROM procrastinate_jobs RETURNING 1")
        work.look(list(emails))

    report("an idle look alone", look_only, tenants.pool)
    report("an idle look with its plan and its job", with_plan_and_job, tenants.pool)


def report(what: str, work: Callable[[], None], pool: Pool) -> None:
    """Print the cost per look of some rounds."""
    work()
    database, wal = cpu_of_database(pool), wal_bytes(pool)
    cpu, began = time.thread_time(), time.perf_counter()
    for _ in range(ROUNDS):
        work()
    looks = ROUNDS * LOOKS_PER_JOB
    seconds = time.perf_counter() - began
    print(
        f"{what}: CPU {(time.thread_time() - cpu) / looks * 1000:.2f} ms here, "
        f"{(cpu_of_database(pool) - database) / looks * 1000:.2f} ms in PostgreSQL, "
        f"WAL {(wal_bytes(pool) - wal) / looks / 1000:.2f} KB; {looks / seconds:.0f} looks a second and thread",
        flush=True,
    )


def measure_workers(processes: int, tenants: Tenants, variables: dict[str, str], log: Path) -> None:
    """Print the looks per second of so many worker processes; the sandbox uses the same machine."""
    with ExitStack() as stack:
        ids = [stack.enter_context(worker(variables, log)).pid for _ in range(processes)]
        first = total_looks(tenants)
        while total_looks(tenants) == first:
            time.sleep(0.5)
        before, cpu, began = total_looks(tenants), sum(map(cpu_of, ids)), time.perf_counter()
        time.sleep(SECONDS)
        looks, seconds = total_looks(tenants) - before, time.perf_counter() - began
        spent = sum(map(cpu_of, ids)) - cpu
    print(
        f"{processes} worker processes: {looks / seconds:.0f} looks a second, "
        f"CPU {spent / looks * 1000:.2f} ms of a worker for each",
        flush=True,
    )


def total_looks(tenants: Tenants) -> int:
    """Return the number of looks of all workers."""
    return tallies(tenants.pool).get(("looks", ""), 0)


def cpu_of_database(pool: Pool) -> float:
    """Return the CPU seconds of the current connections."""
    pids = query(pool, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
    return sum(cpu_of(pid) for (pid,) in pids)


def cpu_of(process: int) -> float:
    """Return the CPU seconds of a process."""
    stats = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(stats[11]) + int(stats[12])) / _TICKS_PER_SECOND


def wal_bytes(pool: Pool) -> int:
    """Return the bytes of WAL written so far."""
    return int(query(pool, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")[0][0])


def query(pool: Pool, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    return pool.run(lambda connection: connection.execute(sql.encode(), parameters or None).fetchall())


if __name__ == "__main__":
    main()
