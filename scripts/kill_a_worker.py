"""Kill one of two workers of a host in the middle of its passes, and look whether every list is exact.

    BUYERBLOCK_DATABASE_URL=postgresql://... python3 scripts/kill_a_worker.py [--times 20] [--sellers 60]

Each time a new database gets sellers with four mailboxes each, and every mailbox gets notices. One worker is killed
(SIGKILL) at a random moment. The other has to finish: within a minute and the time after which a worker counts as dead
each list holds the buyers of its own notices, each counted once, and no mailbox ever had two passes at once.
"""

import argparse
import json
import random
import sys
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from hosting import alias, connect, environment, new_host, notice, worker
from oauth_web.demo.sandbox import Sandbox
from worker.host.program import DEAD_AFTER
from worker.host.tenants import Tenants

MAILBOXES = 4  # of each seller
NOTICES = 5  # in each mailbox
DRAINED = 60 + DEAD_AFTER  # seconds
LATENCY = 0.02  # seconds of a call to Gmail


def deliver(google: Sandbox, emails: dict[str, int], start: int = 0) -> dict[int, set[str]]:
    """Deliver notices to every mailbox, about buyers from a number on; return whom each seller has to block."""
    expected: dict[int, set[str]] = {}
    for place, (email, tenant) in enumerate(emails.items()):
        for number in range(start + place * NOTICES, start + (place + 1) * NOTICES):
            google.deliver(email, notice(number))
            expected.setdefault(tenant, set()).add(alias(number))
    return expected


def blocked(tenants: Tenants, expected: dict[int, set[str]]) -> dict[int, set[str]]:
    """Return whom each of these sellers blocks."""
    return {tenant: {it.key for it in tenants.app(tenant).block_list.blocks()} for tenant in expected}


def jobs_at_work(tenants: Tenants) -> list[str]:
    """Return the locks of the passes that are under way."""
    sql = b"SELECT lock FROM procrastinate_jobs WHERE status = 'doing' AND task_name = 'pass'"
    return [lock for (lock,) in tenants.pool.run(lambda connection: connection.execute(sql).fetchall())]


def drain(tenants: Tenants, expected: dict[int, set[str]]) -> float:
    """Wait until the lists are exact and no pass is under way; return the seconds. Raises AssertionError."""
    began = time.monotonic()
    while True:
        at_work = jobs_at_work(tenants)
        assert len(set(at_work)) == len(at_work), "two passes over one mailbox"
        if not at_work and blocked(tenants, expected) == expected:
            return time.monotonic() - began
        assert time.monotonic() - began < DRAINED, "not drained in time"
        time.sleep(0.1)


def kill_once(
    tenants: Tenants, google: Sandbox, folder: Path, url: str, *, sellers: int, part: float
) -> tuple[float, float]:
    """Kill a worker when this part of the buyers is blocked; return the seconds until all were, and for later mail.

    Raises AssertionError.
    """
    emails = connect(tenants, google, folder, sellers, MAILBOXES)
    expected = deliver(google, emails)
    google.latency = LATENCY
    log = folder / "log"
    with ExitStack() as stack:
        victim, _ = (stack.enter_context(worker(environment(tenants, url), log)) for _ in range(2))
        until = time.monotonic() + DRAINED
        while sum(map(len, blocked(tenants, expected).values())) <= part * NOTICES * len(emails):
            assert time.monotonic() < until, "too slow"
            time.sleep(0.1)
        victim.kill()
        seconds = drain(tenants, expected)
        later = deliver(google, emails, start=NOTICES * len(emails))
        both = {tenant: expected[tenant] | later[tenant] for tenant in expected}
        more = drain(tenants, both)
    for tenant in expected:
        assert all(it.notices == 1 for it in tenants.app(tenant).block_list.blocks()), "counted twice"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["level"] for line in lines} <= {"INFO", "WARNING"}, lines
    assert {line["tenant"] for line in lines if "account" in line} <= set(expected)
    return seconds, more


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=20, help="how often to kill")
    parser.add_argument("--sellers", type=int, default=60, help=f"with {MAILBOXES} mailboxes each")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)  # noqa: S311 - moments, no secrets
    for number in range(1, arguments.times + 1):
        part = chance.uniform(0, 0.9)
        with new_host(interval=5) as host:
            seconds, more = kill_once(*host, sellers=arguments.sellers, part=part)
        print(
            f"{number}: killed at {part:.0%} of the buyers, every list exact {seconds:.1f} s later; "
            f"as many notices after that in {more:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
