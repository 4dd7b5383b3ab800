"""The demo of one seller: ``once`` runs and checks everything alone, ``watch`` keeps it running for a person."""

import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from oauth_web.demo.mailboxes import ACCOUNTS, SELLER, Delivery, news, old_mail
from oauth_web.demo.program import DemoError, Program
from oauth_web.demo.sandbox import Sandbox

MAX_WAIT = 120  # seconds for a pass
NEWS_EVERY = 20  # seconds between two new notices in ``watch``
NEWS_ONCE = 6  # new notices in ``once``


def run_demo(show: Callable[[Sandbox, Path], None]) -> int:
    """Run a demo with a stand-in for Google and a temporary folder, until its end or Ctrl-C; return the exit code.

    Raises DemoError.
    """
    # Everything is on this machine, so no proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    # End like by Ctrl-C, so that the program is stopped and the folder is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="buyerblock-demo-") as folder, Sandbox() as google:
        for email in ACCOUNTS:
            google.add_user(email)
        say(f"a stand-in for Google is at {google.url}")
        try:
            show(google, Path(folder))
        except KeyboardInterrupt:
            return 0
    return 0


def say(text: str) -> None:
    """Print for the person on standard error; standard output is only for the block list."""
    print(text, file=sys.stderr, flush=True)


def deliver(google: Sandbox, deliveries: Iterable[Delivery]) -> None:
    for delivery in deliveries:
        google.deliver(delivery.account, delivery.mail, received_at=delivery.at)


def once(google: Sandbox, folder: Path) -> None:
    """Sign in, wait until old and new mail is judged, check the list and print it. Raises DemoError."""
    program, old = Program(google, folder), old_mail(datetime.now(UTC))
    deliver(google, old)
    with program.serving("--no-open"), requests.Session() as browser:
        for email in ACCOUNTS:
            say(f"signing in as {email} at {program.page} ...")
            program.sign_in(google, browser, email)
        wait_until_idle(google)
        say(f"{len(old)} old mails judged")
        forward_to = program.address_for_forwards(SELLER)
        chance = random.Random(0)  # noqa: S311 - nothing secret
        new = [news(chance, datetime.now(UTC), number, forward_to) for number in range(NEWS_ONCE)]
        deliver(google, new)
        wait_until_idle(google)
        say(f"{len(new)} new notices judged, some of them forwarded to {forward_to}")
        blocks = program.run("export")
        wait_until_idle(google)
        again = program.run("export")
    calls = [google.calls(email) for email in ACCOUNTS]
    say(f"{sum(call.units for of_one in calls for call in of_one)} quota units in all")
    if any(of_one[-1].units != 1 for of_one in calls) or _blocks(again) != _blocks(blocks):
        raise DemoError("A pass with nothing to do did something.")
    say("the last pass of each account cost 1 and changed nothing")
    if blocked(_blocks(again)) != keys([*old, *new]):
        raise DemoError("The block list is not what the mail says.")
    print(again, end="")


def _blocks(exported: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = json.loads(exported)["blocks"]
    return blocks


def blocked(blocks: Iterable[dict[str, Any]]) -> set[str]:
    """Return the keys of an export's blocks."""
    return {block["address"] or block["orders"][0] for block in blocks}


def keys(deliveries: Iterable[Delivery]) -> set[str]:
    """Return the keys that these mails add to the block list."""
    return {delivery.key for delivery in deliveries if delivery.key}


def wait_until_idle(google: Sandbox) -> None:
    """Wait until each account had a pass that started after now and found nothing to do.

    An idle pass is one call of labels.get; two such calls in a row occur only in idle passes.
    """
    before = {email: len(google.calls(email)) for email in ACCOUNTS}
    ends = time.monotonic() + MAX_WAIT
    while not all(_is_idle(google, email, after) for email, after in before.items()):
        if time.monotonic() > ends:
            raise DemoError("The passes took too long.")
        time.sleep(0.1)


def _is_idle(google: Sandbox, email: str, after: int) -> bool:
    calls = [call.method for call in google.calls(email)]
    return calls[after:][-2:] == ["labels.get", "labels.get"]


def watch(google: Sandbox, folder: Path) -> None:
    """Keep everything running for a person, with a new notice every NEWS_EVERY seconds. Raises DemoError."""
    program, old = Program(google, folder), old_mail(datetime.now(UTC))
    deliver(google, old)
    chance = random.Random(0)  # noqa: S311 - nothing secret
    with program.serving("--open"):
        say(
            f"\n  {len(old)} invented mails wait in {' and '.join(ACCOUNTS)}.\n"
            f"  Open {program.start_link}\n  and press “Sign in with Google”. Ctrl-C ends it.\n"
        )
        for number in itertools.count():
            time.sleep(NEWS_EVERY)
            if not program.answers():
                raise DemoError("The program has ended; its last words are above.")
            forward_to = program.address_for_forwards(SELLER)
            deliver(google, [news(chance, datetime.now(UTC), number, forward_to)])
