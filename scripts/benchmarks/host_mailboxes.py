"""Measure whether one worker keeps up with 10,000 mailboxes of 1,000 sellers for 20 minutes, and its memory.

Looks are answered within the process, so that only the worker is measured. BUYERBLOCK_DATABASE_URL names a PostgreSQL
server.
"""

import sys
import time
from pathlib import Path

from benchmarks.host import cpu_of, query, total_looks
from hosting import environment, new_host, worker
from worker.gmail.glance import Glances
from worker.host.program import work
from worker.host.tenants import Tenants
from worker.settings import current_settings

SELLERS, MAILBOXES, MINUTES = 1_000, 10, 20
TARGET_MEMORY = 120  # MB
_DELAY = "SELECT coalesce(extract(epoch FROM now() - min(next_look)), 0) FROM looks"
_ADD_LOOKS = """
    INSERT INTO looks
    SELECT 'seller' || tenants.id || '.' || n || '@gmail.com', tenants.id, 60, now() + random() * interval '60 seconds',
        now(), now(), 'Label_1', 0, %s, now() + interval '1 day'
    FROM tenants, generate_series(1, %s) AS n WHERE owner <> '' RETURNING 1
"""


def main() -> None:
    with new_host() as (tenants, _, folder, url):
        for number in range(SELLERS):
            tenants.add(f"owner{number}@gmail.com")
        query(tenants.pool, _ADD_LOOKS, tenants.sealer.seal("token"), MAILBOXES)
        program = ("-m", "benchmarks.host_mailboxes", "--work")
        with worker(environment(tenants, url), folder / "log", program=program) as process:
            watch(tenants, process.pid)


def watch(tenants: Tenants, process: int) -> None:
    """Print every minute the CPU and memory of a worker, and the largest delay of a mailbox."""
    before, cpu = total_looks(tenants), cpu_of(process)
    for minute in range(1, MINUTES + 1):
        time.sleep(60)
        looks, seconds = total_looks(tenants), cpu_of(process)
        ((late,),) = query(tenants.pool, _DELAY)
        print(
            f"minute {minute}: {looks - before:,} looks, CPU {seconds - cpu:.1f} s, "
            f"{memory(process):.0f} MB (wanted {TARGET_MEMORY}), the latest mailbox {late:.1f} s late",
            flush=True,
        )
        before, cpu = looks, seconds


def memory(process: int) -> float:
    """Return the resident memory of a process in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(it.split()[1]) / 1000 for it in lines if it.startswith("VmRSS"))


def no_mail(self: Glances, token: str, label_id: str) -> int:  # noqa: ARG001 - it replaces a method
    return 0


if __name__ == "__main__":
    if "--work" in sys.argv:
        Glances.count = no_mail  # type: ignore[method-assign]
        work(current_settings(), 32)
    else:
        main()
