"""The demo itself, run by ``demo.py`` with the Python that has everything installed.

It starts the stand-in for Google with a mailbox full of invented mail, and beside it the real program, told by
nothing but its settings where "Google" is.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests

from environment import ROOT
from sandbox import Sandbox

SELLER = "seller@gmail.com"
SAMPLES = ROOT / "tests" / "samples"
INTERVAL = 5  # seconds between two passes: a demo has no minute to spare
LONGEST_WAIT = 120  # seconds for the page to come up, and for a pass
NEWS_EVERY = 20  # seconds between two notices that arrive while one watches
# The demo reads some 250 mails; at Gmail's real speed limit that would be most of a minute's allowance.
UNITS_PER_MINUTE = 60_000


class DemoError(Exception):
    """The demo did not go as it should."""


def say(text: str) -> None:
    """Tell the person; standard output is for the block list alone."""
    print(text, file=sys.stderr, flush=True)


def fill(google: Sandbox) -> int:
    """Deliver the samples to the seller, one a minute until now; return how many there are."""
    mails = sorted(SAMPLES.rglob("*.eml"))
    now = datetime.now(UTC)
    for age, mail in enumerate(mails, 1):
        google.deliver(SELLER, mail.read_bytes(), received_at=now - timedelta(minutes=age))
    return len(mails)


def settings_for(google: Sandbox, folder: Path) -> dict[str, str]:
    """Return the environment in which the program takes the stand-in for Google."""
    secrets = folder / "client_secret.json"
    secrets.write_text(json.dumps(google.client_secrets("installed")), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        **os.environ,
        "BUYERBLOCK_DATA_DIR": str(folder),
        "BUYERBLOCK_CLIENT_SECRETS": str(secrets),
        "BUYERBLOCK_GMAIL_URL": google.url,
        "BUYERBLOCK_REVOKE_URL": f"{google.url}/revoke",
        "BUYERBLOCK_SYNC_INTERVAL": str(INTERVAL),
        "BUYERBLOCK_UNITS_PER_MINUTE": str(UNITS_PER_MINUTE),
        "BUYERBLOCK_PORT": str(port),
    }


@contextmanager
def serving(environment: Mapping[str, str], *options: str) -> Iterator[str]:
    """Run ``buyerblock serve`` and yield the address of its page."""
    command = [sys.executable, "-m", "oauth_web", "serve", *options]
    page = f"http://127.0.0.1:{environment['BUYERBLOCK_PORT']}"
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sys.stderr) as program:
        try:
            ends = time.monotonic() + LONGEST_WAIT
            while not _answers(page):
                if program.poll() is not None or time.monotonic() > ends:
                    raise DemoError("The program did not start; its last words stand above.")
                time.sleep(0.1)
            yield page
        finally:
            program.terminate()


def _answers(page: str) -> bool:
    with suppress(requests.ConnectionError):
        return requests.get(f"{page}/healthz", timeout=5).ok
    return False


def sign_in(google: Sandbox, page: str) -> None:
    """Press "Sign in with Google" and agree to everything, as a browser would."""
    with requests.Session() as browser:
        to_google = browser.get(f"{page}/sign-in", allow_redirects=False, timeout=30)
        back = google.consent(to_google.headers["Location"], email=SELLER)
        if not browser.get(back, timeout=60).ok:
            raise DemoError("The sign-in did not succeed.")


def passes_done(google: Sandbox, number: int) -> list[int]:
    """Wait until the program has asked for the queue's length this often; return the units spent before each time."""
    ends = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < ends:
        calls = google.calls(SELLER)
        asked = [n for n, call in enumerate(calls) if call.method == "labels.get"]
        if len(asked) > number:
            return [sum(call.units for call in calls[:n]) for n in asked]
        time.sleep(0.2)
    raise DemoError("The passes took too long.")


def buyerblock(environment: Mapping[str, str], *arguments: str) -> str:
    """Run another command of the program and return what it prints."""
    command = [sys.executable, "-m", "oauth_web", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, encoding="utf-8"
    ).stdout


def once(google: Sandbox, environment: Mapping[str, str], mails: int) -> None:
    """Sign in, run the first pass and an idle one, print the list."""
    with serving(environment, "--no-open") as page:
        say(f"signing in as {SELLER} at {page} ...")
        sign_in(google, page)
        before = passes_done(google, 1)
        blocks = buyerblock(environment, "export")
        first, again = passes_done(google, 2)[1], passes_done(google, 2)
        say(f"first pass: {mails} mails in the mailbox, {first} quota units")
        say(f"second pass: {again[2] - again[1]} quota unit, nothing changed")
    if (
        before[1] != first
        or json.loads(buyerblock(environment, "export"))["blocks"] != json.loads(blocks)["blocks"]
    ):
        raise DemoError("The second pass changed something.")
    print(blocks, end="")


def watch(google: Sandbox, environment: Mapping[str, str], mails: int) -> None:
    """Leave everything running for a person to look at; a new notice arrives now and then."""
    news = sorted((SAMPLES / "opt_out").glob("*.eml"))
    with serving(environment, "--open") as page:
        say(
            f"\n  {mails} invented mails wait in {SELLER}.\n  Open {page} and press “Sign in with Google”. Ctrl-C ends it.\n"
        )
        for n in range(sys.maxsize):
            time.sleep(NEWS_EVERY)
            google.deliver(SELLER, news[n % len(news)].read_bytes(), received_at=datetime.now(UTC))


def main() -> int:
    """Run the demo; return 0 if all went as it should."""
    parser = argparse.ArgumentParser(prog="demo.py", description="buyerblock against a stand-in for Google.")
    parser.add_argument(
        "--once", action="store_true", help="sign in, run one pass, print the block list as JSON, end"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="buyerblock-demo-") as folder, Sandbox() as google:
        google.add_user(SELLER)
        say(f"a stand-in for Google is at {google.url}")
        environment, mails = settings_for(google, Path(folder)), fill(google)
        try:
            (once if arguments.once else watch)(google, environment, mails)
        except KeyboardInterrupt:
            return 0
        except DemoError as error:
            say(f"demo: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
