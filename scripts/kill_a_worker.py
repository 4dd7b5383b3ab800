"""Kill one of two workers of a host in the middle of its passes, and look whether every list is exact.

    BUYERBLOCK_DATABASE_URL=postgresql://... python3 scripts/kill_a_worker.py [--times 20] [--sellers 60]

Each run creates a database with sellers, four mailboxes each, and delivers notices to every mailbox. One worker is
killed (SIGKILL) at a random time. The other has to finish within DRAIN_TIMEOUT: each list must contain exactly the
buyers of its notices, each counted once, and no mailbox may have two passes at the same time.
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
DRAIN_TIMEOUT = 60 + DEAD_AFTER  # seconds
LATENCY = 0.02  # seconds of a call to Gmail


def deliver(google: Sandbox, emails: dict[str, int], start: int = 0) -> dict[int, set[str]]:
    """Deliver notices to every mailbox; return the expected blocks by tenant. start: number of the first buyer."""
    expected: dict[int, set[str]] = {}
    for place, (email, tenant) in enumerate(emails.items()):
        for number in range(start + place * NOTICES, start + (place + 1) * NOTICES):
            google.deliver(email, notice(number))
            expected.setdefault(tenant, set()).add(alias(number))
    return expected


def blocked(tenants: Tenants, expected: dict[int, set[str]]) -> dict[int, set[str]]:
    """Return the blocks of these sellers, by tenant."""
    return {tenant: {it.key for it in tenants.app(tenant).block_list.blocks()} for tenant in expected}


def running_passes(tenants: Tenants) -> list[str]:
    """Return the locks of the running passes."""
    sql = b"SELECT lock FROM procrastinate_jobs WHERE status = 'doing' AND task_name = 'pass'"
    return [lock for (lock,) in tenants.pool.run(lambda connection: connection.execute(sql).fetchall())]


def drain(tenants: Tenants, expected: dict[int, set[str]]) -> float:
    """Wait until the lists are as expected and no pass runs; return the seconds. Raises AssertionError."""
    began = time.monotonic()
    while True:
        running = running_passes(tenants)
        assert len(set(running)) == len(running), "two passes over one mailbox"
        if not running and blocked(tenants, expected) == expected:
            return time.monotonic() - began
        assert time.monotonic() - began < DRAIN_TIMEOUT, "not drained in time"
        time.sleep(0.1)


def kill_once(
    tenants: Tenants, google: Sandbox, folder: Path, url: str, *, sellers: int, fraction: float
) -> tuple[float, float]:
    """Kill a worker when this fraction of the buyers is blocked; return the seconds to finish, and for later mail.

    Raises AssertionError.
    """
    emails = connect(tenants, google, folder, sellers, MAILBOXES)
    expected = deliver(google, emails)
    google.latency = LATENCY
    log = folder / "log"
    with ExitStack() as stack:
        victim, _ = (stack.enter_context(worker(environment(tenants, url), log)) for _ in range(2))
        until = time.monotonic() + DRAIN_TIMEOUT
        while sum(map(len, blocked(tenants, expected).values())) <= fraction * NOTICES * len(emails):
            assert time.monotonic() < until, "too slow"
            time.sleep(0.1)
        victim.kill()
        seconds = drain(tenants, expected)
        later = deliver(google, emails, start=NOTICES * len(emails))
        all_expected = {tenant: expected[tenant] | later[tenant] for tenant in expected}
        later_seconds = drain(tenants, all_expected)
    for tenant in expected:
        assert all(it.notices == 1 for it in tenants.app(tenant).block_list.blocks()), "counted twice"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["level"] for line in lines} <= {"INFO", "WARNING"}, lines
    assert {line["tenant"] for line in lines if "account" in line} <= set(expected)
    return seconds, later_seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=20, help="how often to kill")
    parser.add_argument("--sellers", type=int, default=60, help=f"with {MAILBOXES} mailboxes each")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - not for secrets
    for number in range(1, arguments.times + 1):
        fraction = rng.uniform(0, 0.9)
        with new_host(interval=5) as host:
            seconds, later_seconds = kill_once(*host, sellers=arguments.sellers, fraction=fraction)
        print(
            f"{number}: killed at {fraction:.0%} of the buyers, every list exact {seconds:.1f} s later; "
            f"as many notices after that in {later_seconds:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
