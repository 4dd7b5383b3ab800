"""The whole program in real time, by flag: ``--soak 30`` runs it for half an hour, with faults on. Nothing may grow."""

import random
import subprocess
import time
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
import requests
from sellers import EMAIL, EXPECTED, sample
from serving import environment_for, page_of, serving, sign_in_on_the_page, start_link

from oauth_web.demo.sandbox import Fault, Sandbox
from worker.block_list.block_list import BlockList
from worker.database import open_database

OTHER = "other@gmail.com"
PASSING = (
    Fault(status=503),
    Fault(status=429, reason="rateLimitExceeded"),
    Fault(status=403, reason="userRateLimitExceeded"),
    Fault(slow=2.0),
    Fault(cut="before"),
    Fault(cut="after"),
    Fault(cut="body"),
    Fault(garble="half"),
    Fault(garble="not_json"),
)
# Caches and the allocator have settled after the first third.
SETTLED = 1 / 3
MAX_GROWTH = 0.02


@pytest.fixture
def minutes(request: pytest.FixtureRequest) -> float:
    if (minutes := request.config.getoption("--soak")) is None:
        pytest.skip("A soak in real time runs with --soak MINUTES.")
    return float(minutes)


def resident(process: "subprocess.Popen[str]") -> int:
    """Return the resident memory of a process, in kB."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def drain(process: "subprocess.Popen[str]") -> None:
    """Read the log of a process, so that it never waits for a reader."""
    log = process.stderr
    assert log is not None
    Thread(target=lambda: [None for _ in log], daemon=True).start()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Memory is read as Linux shows it.")
def test_half_an_hour_of_faults_and_visits_makes_no_memory_grow(minutes: float, tmp_path: Path) -> None:
    chance = random.Random(2026)
    # Told again these change no list; a suspect would wait for review anew each time.
    names = [
        name for name, row in sorted(EXPECTED.items()) if row["verdict"] != "suspect" and "trusted" not in row
    ]

    def fault(_number: int, _method: str, _email: str) -> Fault | None:
        return chance.choice(PASSING) if chance.random() < 0.1 else None

    with Sandbox() as google:
        for email in (EMAIL, OTHER):
            google.add_user(email)
        environment = environment_for(google, tmp_path) | {"BUYERBLOCK_SYNC_INTERVAL": "2"}
        page = page_of(environment)
        with serving(environment) as process, requests.Session() as browser:
            assert browser.get(start_link(process, environment), timeout=30).ok
            drain(process)
            for email in (EMAIL, OTHER):
                sign_in_on_the_page(browser, google, environment, email)
            google.fault = fault
            start, curve = time.monotonic(), [0]
            while (passed := (time.monotonic() - start) / 60) < minutes:
                for email in (EMAIL, OTHER):
                    google.deliver(email, sample(chance.choice(names)))
                for path in ("/", "/live", "/blocks?q=a", "/review", "/settings", "/blocks.json", "/metrics"):
                    assert browser.get(page + path, timeout=30).ok
                if passed * 30 / minutes >= len(curve):
                    curve.append(resident(process))
                time.sleep(1)
            settled = curve[int(SETTLED * len(curve))]
            grown = resident(process) / settled - 1
            print(f"resident, in kB: {curve[1:]}; {grown:+.2%}; {google.requests:,} requests to Google")  # noqa: T201 - shown by -s
            assert process.poll() is None
            assert grown < MAX_GROWTH
    with closing(open_database(tmp_path)) as database:
        assert len(BlockList(database)) > 0
