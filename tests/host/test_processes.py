"""Workers as processes: killed, stopped, and without their database, the lists are exact."""

import json
import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from hosting import alias, connect, environment, notice, worker
from serving import until

from oauth_web.demo.postgres_server import Server
from oauth_web.demo.sandbox import Sandbox
from worker.host.program import DEAD_AFTER
from worker.host.tenants import Tenants

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a thing of POSIX systems."),
]
SELLERS, MAILBOXES, NOTICES = 6, 4, 5


def deliver(google: Sandbox, emails: dict[str, int], start: int = 0) -> dict[int, set[str]]:
    """Deliver notices to every mailbox; return whom each seller has to block."""
    expected: dict[int, set[str]] = {}
    for place, (email, tenant) in enumerate(emails.items()):
        for number in range(start + place * NOTICES, start + (place + 1) * NOTICES):
            google.deliver(email, notice(number))
            expected.setdefault(tenant, set()).add(alias(number))
    return expected


def blocked(tenants: Tenants, expected: dict[int, set[str]]) -> dict[int, set[str]]:
    return {tenant: {it.key for it in tenants.app(tenant).block_list.blocks()} for tenant in expected}


def jobs_at_work(tenants: Tenants) -> list[str]:
    """Return the locks of the passes that are under way."""
    sql = b"SELECT lock FROM procrastinate_jobs WHERE status = 'doing' AND task_name = 'pass'"
    return [lock for (lock,) in tenants.pool.run(lambda connection: connection.execute(sql).fetchall())]


@pytest.mark.parametrize("run", range(2))
def test_every_list_is_exact_after_a_worker_was_killed_in_the_middle(
    tenants: Tenants, google: Sandbox, postgres: Server, tmp_path: Path, run: int
) -> None:
    emails = connect(tenants, google, tmp_path, SELLERS, MAILBOXES)
    expected = deliver(google, emails)
    google.latency = 0.02
    variables, log = environment(tenants, postgres.url()), tmp_path / "log"
    with ExitStack() as stack:
        victim, _ = (stack.enter_context(worker(variables, log, "--threads", "4")) for _ in range(2))
        until(lambda: sum(map(len, blocked(tenants, expected).values())) > 10 * (run + 1), seconds=60)
        victim.kill()

        def done() -> bool:
            at_work = jobs_at_work(tenants)
            assert len(set(at_work)) == len(at_work), "two passes over one mailbox"
            return blocked(tenants, expected) == expected and not at_work

        until(done, seconds=60 + DEAD_AFTER)
        later = deliver(google, emails, start=1000)
        both = {tenant: expected[tenant] | later[tenant] for tenant in expected}
        until(lambda: blocked(tenants, both) == both, seconds=60)
    for tenant in expected:
        assert all(it.notices == 1 for it in tenants.app(tenant).block_list.blocks())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["level"] for line in lines} <= {"INFO", "WARNING"}, lines
    assert {line["tenant"] for line in lines if "account" in line} == set(expected)


@pytest.mark.parametrize("hangs", [False, True])
def test_a_worker_ends_within_five_seconds_in_the_middle_of_a_pass(
    tenants: Tenants, google: Sandbox, postgres: Server, tmp_path: Path, hangs: bool
) -> None:
    emails = connect(tenants, google, tmp_path, 2, 2)
    deliver(google, emails)
    google.latency = 20 if hangs else 0.2
    with worker(environment(tenants, postgres.url()), tmp_path / "log") as process:
        until(lambda: len(jobs_at_work(tenants)) == len(emails), seconds=60)
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 5


def test_workers_go_on_by_themselves_when_postgresql_was_restarted(
    tenants: Tenants, google: Sandbox, postgres: Server, tmp_path: Path
) -> None:
    emails = connect(tenants, google, tmp_path, 3, 2)
    expected = deliver(google, emails)
    google.latency = 0.02
    with worker(environment(tenants, postgres.url()), tmp_path / "log"):
        until(lambda: any(blocked(tenants, expected).values()), seconds=60)
        postgres.stop()
        time.sleep(3)
        postgres.start()
        until(lambda: blocked(tenants, expected) == expected, seconds=60 + DEAD_AFTER)
        later = deliver(google, emails, start=1000)
        both = {tenant: expected[tenant] | later[tenant] for tenant in expected}
        until(lambda: blocked(tenants, both) == both, seconds=60)
