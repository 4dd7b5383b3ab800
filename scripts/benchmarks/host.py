"""Measure the looks of a host, with the sandbox on the same machine: their CPU, here and in PostgreSQL, and their WAL.

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
MAILBOXES = 10_000  # for workers as processes; all are answered like the few that are real
SECONDS = 20.0
_TICK = os.sysconf("SC_CLK_TCK")
# Each is due again as soon as it was planned.
_ALWAYS_DUE = "UPDATE looks SET every = 0, next_look = now() RETURNING 1"
_COPIES = """
    INSERT INTO looks SELECT account || n, tenant, 0, now(), good_at, now(), label, unexplained, token, token_until
    FROM looks, generate_series(1, %s) AS n RETURNING 1
"""


def main() -> None:
    """Print the figures; it takes about two minutes."""
    with new_host() as (tenants, google, folder, url):
        measure(tenants, google, folder)
        ask(tenants.pool, _COPIES, MAILBOXES // LOOKS_PER_JOB - 1)
        for processes in (1, 2):
            looks_by(processes, tenants, environment(tenants, url), folder / "log")


def measure(tenants: Tenants, google: Sandbox, folder: Path) -> None:
    """Print what an idle look costs, by itself and as a worker does it."""
    work, emails = Work(tenants), connect(tenants, google, folder, 1, LOOKS_PER_JOB)
    for email, tenant in emails.items():
        work.run_pass(email, tenant)
    work.look(list(emails))  # gets access tokens
    looks = tenants.looks.read(list(emails))
    glances = Glances(tenants.settings.gmail_url, tenants.clock, tenants.sessions)
    keys = [(tenants.sealer.unseal(it.token or ""), it.label or "") for it in looks]

    def alone() -> None:
        for token, label in keys:
            glances.count(token, label)

    ask(tenants.pool, _ALWAYS_DUE)

    def planned() -> None:
        work.plan()
        ask(tenants.pool, "DELETE FROM procrastinate_jobs RETURNING 1")
        work.look(list(emails))

    report("an idle look alone", alone, tenants.pool)
    report("an idle look with its plan and its job", planned, tenants.pool)


def report(what: str, work: Callable[[], None], pool: Pool) -> None:
    """Print what each of a hundred looks takes."""
    work()
    cpu, database, wal, began = time.thread_time(), cpu_of_database(pool), written(pool), time.perf_counter()
    for _ in range(ROUNDS):
        work()
    looks = ROUNDS * LOOKS_PER_JOB
    seconds = time.perf_counter() - began
    print(
        f"{what}: CPU {(time.thread_time() - cpu) / looks * 1000:.2f} ms here, "
        f"{(cpu_of_database(pool) - database) / looks * 1000:.2f} ms in PostgreSQL, "
        f"WAL {(written(pool) - wal) / looks / 1000:.2f} KB; {looks / seconds:.0f} looks a second and thread",
        flush=True,
    )


def looks_by(processes: int, tenants: Tenants, variables: dict[str, str], log: Path) -> None:
    """Print how many looks a second so many worker processes make, beside the sandbox that answers them."""
    with ExitStack() as stack:
        ids = [stack.enter_context(worker(variables, log)).pid for _ in range(processes)]
        first = looked_at(tenants)
        while looked_at(tenants) == first:
            time.sleep(0.5)
        before, cpu, began = looked_at(tenants), sum(map(cpu_of, ids)), time.perf_counter()
        time.sleep(SECONDS)
        looks, seconds = looked_at(tenants) - before, time.perf_counter() - began
        spent = sum(map(cpu_of, ids)) - cpu
    print(
        f"{processes} worker processes: {looks / seconds:.0f} looks a second, "
        f"CPU {spent / looks * 1000:.2f} ms of a worker for each",
        flush=True,
    )


def looked_at(tenants: Tenants) -> int:
    """Return how many looks all workers have made."""
    return tallies(tenants.pool).get(("looks", ""), 0)


def cpu_of_database(pool: Pool) -> float:
    """Return the seconds of CPU that the present connections have taken."""
    pids = ask(pool, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
    return sum(cpu_of(pid) for (pid,) in pids)


def cpu_of(process: int) -> float:
    """Return the seconds of CPU that a process has taken."""
    stats = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(stats[11]) + int(stats[12])) / _TICK


def written(pool: Pool) -> int:
    """Return the bytes of WAL that were ever written."""
    return int(ask(pool, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")[0][0])


def ask(pool: Pool, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Return what a question selects."""
    return pool.run(lambda connection: connection.execute(sql.encode(), parameters or None).fetchall())


if __name__ == "__main__":
    main()
