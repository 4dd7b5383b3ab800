"""Workers as processes: killed, stopped, and without their database, the lists are exact."""

import os
import signal
import time
from pathlib import Path

import pytest
from serving import until

from hosting import connect, environment, worker
from kill_a_worker import blocked, deliver, kill_once, running_passes
from oauth_web.demo.postgres_server import Server
from oauth_web.demo.sandbox import Sandbox
from worker.host.program import DEAD_AFTER
from worker.host.tenants import Tenants

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a thing of POSIX systems."),
]


def test_every_list_is_exact_after_a_worker_was_killed_in_the_middle(
    tenants: Tenants, google: Sandbox, postgres: Server, tmp_path: Path
) -> None:
    kill_once(tenants, google, tmp_path, postgres.url(), sellers=6, fraction=0.3)


@pytest.mark.parametrize("hangs", [False, True])
def test_a_worker_ends_within_five_seconds_in_the_middle_of_a_pass(
    tenants: Tenants, google: Sandbox, postgres: Server, tmp_path: Path, hangs: bool
) -> None:
    emails = connect(tenants, google, tmp_path, 2, 2)
    deliver(google, emails)
    google.latency = 20 if hangs else 0.2
    with worker(environment(tenants, postgres.url()), tmp_path / "log") as process:
        until(lambda: len(running_passes(tenants)) == len(emails), seconds=60)
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
