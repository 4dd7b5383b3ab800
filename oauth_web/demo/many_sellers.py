"""The demo of a host: two sellers, workers and web processes, with its own PostgreSQL server."""

import itertools
import json
import random
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from oauth_web.demo import postgres_server
from oauth_web.demo.balancer import balancing
from oauth_web.demo.demonstration import (
    MAX_WAIT,
    NEWS_EVERY,
    NEWS_ONCE,
    blocked,
    deliver,
    keys,
    say,
    wait_until_idle,
)
from oauth_web.demo.mailboxes import ACCOUNTS, Delivery, news, old_mail
from oauth_web.demo.program import DemoError, environment_for, free_port, run, running, sign_in
from oauth_web.demo.sandbox import Sandbox
from worker.cli.host import require_packages
from worker.operation.service import page_answers

WORKERS, WEB_PROCESSES = 2, 2
Lists = dict[str, dict[str, Any]]  # exports, by the seller's address


class Host:
    """The processes of a host. page: the URL of the load balancer."""

    def __init__(self, page: str, processes: "list[subprocess.Popen[str]]") -> None:
        self.page = page
        self._processes = processes

    def check(self) -> None:
        """Raise DemoError if a process has ended."""
        if any(it.poll() is not None for it in self._processes):
            raise DemoError("A process of the host has ended; its last words are above.")


@contextmanager
def _hosting(google: Sandbox, folder: Path) -> Iterator[Host]:
    """Run PostgreSQL, the workers, the web processes, and a load balancer. Raises DemoError, UsageError."""
    require_packages()
    programs = postgres_server.programs()
    if programs is None:
        raise DemoError(
            "A host needs PostgreSQL, whose programs were not found. On Debian or Ubuntu: sudo apt install postgresql; "
            "elsewhere put the folder of initdb and pg_ctl into PATH. Then run this again."
        )
    with postgres_server.running(programs) as server, ExitStack() as stack:
        environment = environment_for(google, folder) | {
            "BUYERBLOCK_DATABASE_URL": server.url(),
            "BUYERBLOCK_SECRET_KEY": secrets.token_urlsafe(32),
            "BUYERBLOCK_HOST_SIGN_UP": "open",
        }
        run(environment, "host", "migrate")
        ports = [free_port() for _ in range(WEB_PROCESSES)]
        page = f"http://localhost:{stack.enter_context(balancing(ports))}"
        commands = [("work",)] * WORKERS + [("serve", "--port", str(it)) for it in ports]
        variables = environment | {"BUYERBLOCK_PUBLIC_URL": page}
        processes = [stack.enter_context(running(variables, "host", *it)) for it in commands]
        host = Host(page, processes)
        for port in ports:
            _wait_for_page(host, port)
        yield host


def _wait_for_page(host: Host, port: int) -> None:
    ends = time.monotonic() + MAX_WAIT
    while not page_answers(f"http://localhost:{port}/"):
        host.check()
        if time.monotonic() > ends:
            raise DemoError("The host did not start; its last words are above.")
        time.sleep(0.1)


def once(google: Sandbox, folder: Path) -> None:
    """Sign in both sellers, wait until old and new mail is judged, check and print both lists. Raises DemoError."""
    old = old_mail(datetime.now(UTC))
    with _hosting(google, folder) as host, ExitStack() as stack:
        deliver(google, old)
        browsers = {email: stack.enter_context(requests.Session()) for email in ACCOUNTS}
        for email, browser in browsers.items():
            say(f"signing in as {email} at {host.page} ...")
            sign_in(google, browser, host.page, email)
        _wait_for(host, browsers, old)
        say(f"{len(old)} old mails judged")
        chance = random.Random(0)  # noqa: S311 - nothing secret
        new = [news(chance, datetime.now(UTC), number, None) for number in range(NEWS_ONCE)]
        deliver(google, new)
        _wait_for(host, browsers, [*old, *new])
        say(f"{len(new)} new notices judged")
        wait_until_idle(google)
        lists = _wait_for(host, browsers, [*old, *new])
    say("each list is exact, and no buyer of one seller is on the other's")
    print(json.dumps(lists, indent=2, ensure_ascii=False))


def _wait_for(host: Host, browsers: Mapping[str, requests.Session], mails: list[Delivery]) -> Lists:
    """Wait until each seller's list matches the mail in the seller's mailbox, and return the lists."""
    wanted = {email: keys(it for it in mails if it.account == email) for email in browsers}
    if set.intersection(*wanted.values()):
        raise DemoError("Both sellers have the same buyer.")
    ends = time.monotonic() + MAX_WAIT
    while True:
        lists = {email: _list(browser, host.page) for email, browser in browsers.items()}
        if {email: blocked(it["blocks"]) for email, it in lists.items()} == wanted:
            return lists
        host.check()
        if time.monotonic() > ends:
            raise DemoError("The block lists are not what the mail says.")
        time.sleep(0.5)


def _list(browser: requests.Session, page: str) -> dict[str, Any]:
    answer = browser.get(f"{page}/blocks.json", timeout=30)
    if not answer.ok:
        raise DemoError(f"The block list was not given: {answer.status_code} {answer.reason}.")
    found: dict[str, Any] = answer.json()
    return found


def watch(google: Sandbox, folder: Path) -> None:
    """Keep everything running for a person, with a new notice every NEWS_EVERY seconds. Raises DemoError."""
    old, chance = old_mail(datetime.now(UTC)), random.Random(0)  # noqa: S311 - nothing secret
    with _hosting(google, folder) as host:
        deliver(google, old)
        say(
            f"\n  {len(old)} invented mails wait in {' and '.join(ACCOUNTS)}, each a seller of their own.\n"
            f"  Open {host.page}\n  and sign in as one of them; as the other in a private window."
            " Ctrl-C ends it.\n"
        )
        for number in itertools.count():
            time.sleep(NEWS_EVERY)
            host.check()
            deliver(google, [news(chance, datetime.now(UTC), number, None)])
