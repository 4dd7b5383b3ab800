"""Measure whether one worker keeps up with 10,000 mailboxes of 1,000 sellers for 20 minutes, and its memory.

Looks are answered within the process, so that the figures are the worker's own. BUYERBLOCK_DATABASE_URL names a
PostgreSQL server.
"""

import sys
import time
from pathlib import Path

from benchmarks.host import ask, cpu_of, looked_at
from hosting import environment, new_host, worker
from worker.gmail.glance import Glances
from worker.host.program import work
from worker.host.tenants import Tenants
from worker.settings import current_settings

SELLERS, MAILBOXES, MINUTES = 1_000, 10, 20
WANTED = 120  # MB
_LATEST = "SELECT coalesce(extract(epoch FROM now() - min(next_look)), 0) FROM looks"
_LOOKS = """
    INSERT INTO looks
    SELECT 'seller' || tenants.id || '.' || n || '@gmail.com', tenants.id, 60, now() + random() * interval '60 seconds',
        now(), now(), 'Label_1', 0, %s, now() + interval '1 day'
    FROM tenants, generate_series(1, %s) AS n WHERE owner <> '' RETURNING 1
"""


def main() -> None:
    """Print the figures."""
    with new_host() as (tenants, _, folder, url):
        for number in range(SELLERS):
            tenants.add(f"owner{number}@gmail.com")
        ask(tenants.pool, _LOOKS, tenants.sealer.seal("token"), MAILBOXES)
        program = ("-m", "benchmarks.host_mailboxes", "--work")
        with worker(environment(tenants, url), folder / "log", program=program) as process:
            watch(tenants, process.pid)


def watch(tenants: Tenants, process: int) -> None:
    """Print every minute what a worker takes, and by how much the latest mailbox is late."""
    before, cpu = looked_at(tenants), cpu_of(process)
    for minute in range(1, MINUTES + 1):
        time.sleep(60)
        looks, seconds = looked_at(tenants), cpu_of(process)
        ((late,),) = ask(tenants.pool, _LATEST)
        print(
            f"minute {minute}: {looks - before:,} looks, CPU {seconds - cpu:.1f} s, "
            f"{memory(process):.0f} MB (wanted {WANTED}), the latest mailbox {late:.1f} s late",
            flush=True,
        )
        before, cpu = looks, seconds


def memory(process: int) -> float:
    """Return the MB that a process has resident."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(it.split()[1]) / 1000 for it in lines if it.startswith("VmRSS"))


def answer(self: Glances, token: str, label_id: str) -> int:  # noqa: ARG001 - as the method that it replaces
    """Answer a look: nothing waits in the mailbox."""
    return 0


if __name__ == "__main__":
    if "--work" in sys.argv:
        Glances.count = answer  # type: ignore[method-assign]
        work(current_settings(), 32)
    else:
        main()
