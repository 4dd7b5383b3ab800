"""The demo itself, run by ``demo.py`` with the Python that has everything installed.

It starts the stand-in for Google with a mailbox full of invented mail, and beside it the real program, told by
nothing but its settings where "Google" is.
"""

import argparse
import itertools
import json
import os
import signal
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
# The account's own address in the samples; the program makes up another.
SAMPLE_ADDRESS = b"seller+optouts-4f9a2c@gmail.com"
SAMPLES = ROOT / "tests" / "samples"
INTERVAL = 2  # seconds between two passes: a demo has no minute to spare
LONGEST_WAIT = 120  # seconds for the page to come up, and for a pass
NEWS_EVERY = 20  # seconds between two notices that arrive while one watches


class DemoError(Exception):
    """The demo did not go as it should."""


def say(text: str) -> None:
    """Tell the person; standard output is for the block list alone."""
    print(text, file=sys.stderr, flush=True)


def old_and_new_mail() -> tuple[list[bytes], list[bytes]]:
    """Return what lies in the mailbox already, and what arrives later: forwards to the account's own address."""
    mails = [path.read_bytes() for path in sorted(SAMPLES.rglob("*.eml"))]
    new = [mail for mail in mails if SAMPLE_ADDRESS in mail]
    return [mail for mail in mails if mail not in new], new


def deliver(google: Sandbox, mails: list[bytes]) -> None:
    """Deliver mails to the seller, as if one had come every minute until now."""
    now = datetime.now(UTC)
    for age, mail in enumerate(reversed(mails)):
        google.deliver(SELLER, mail, received_at=now - timedelta(minutes=age))


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


def idle_pass(google: Sandbox, after: int) -> int:
    """Wait for a pass that found nothing to do, later than call number after; return the number of calls so far.

    Such a pass is a single call: two of its kind in a row can be nothing else.
    """
    ends = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < ends:
        calls = [call.method for call in google.calls(SELLER)]
        if calls[after:][-2:] == ["labels.get", "labels.get"]:
            return len(calls)
        time.sleep(0.2)
    raise DemoError("The passes took too long.")


def buyerblock(environment: Mapping[str, str], *arguments: str) -> str:
    """Run another command of the program and return what it prints."""
    command = [sys.executable, "-m", "oauth_web", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, encoding="utf-8"
    ).stdout


def once(google: Sandbox, environment: Mapping[str, str]) -> None:
    """Sign in, have old and new mail judged, and print the list."""
    old, new = old_and_new_mail()
    deliver(google, old)
    with serving(environment, "--no-open") as page:
        say(f"signing in as {SELLER} at {page} ...")
        sign_in(google, page)
        done = idle_pass(google, 0)
        say(f"{len(old)} old mails judged")
        address = buyerblock(environment, "accounts").split()[-1].encode()
        deliver(google, [mail.replace(SAMPLE_ADDRESS, address) for mail in new])
        done = idle_pass(google, done)
        say(f"{len(new)} new mails judged, sent to {address.decode()}")
        blocks = buyerblock(environment, "export")
        idle_pass(google, done)
    calls = google.calls(SELLER)
    spent = sum(call.units for call in calls)
    say(f"{spent} quota units in all; the last pass cost {calls[-1].units} and changed nothing")
    again = buyerblock(environment, "export")
    if calls[-1].units != 1 or json.loads(again)["blocks"] != json.loads(blocks)["blocks"]:
        raise DemoError("A pass with nothing to do did something.")
    print(again, end="")


def watch(google: Sandbox, environment: Mapping[str, str]) -> None:
    """Leave everything running for a person to look at; a new notice arrives now and then."""
    mails, _ = old_and_new_mail()
    deliver(google, mails)
    news = sorted((SAMPLES / "opt_out").glob("*.eml"))
    with serving(environment, "--open") as page:
        say(
            f"\n  {len(mails)} invented mails wait in {SELLER}.\n"
            f"  Open {page} and press “Sign in with Google”. Ctrl-C ends it.\n"
        )
        for n in itertools.count():
            time.sleep(NEWS_EVERY)
            if not _answers(page):
                raise DemoError("The program has ended; its last words stand above.")
            google.deliver(SELLER, news[n % len(news)].read_bytes(), received_at=datetime.now(UTC))


def main() -> int:
    """Run the demo; return 0 if all went as it should."""
    parser = argparse.ArgumentParser(prog="demo.py", description="buyerblock against a stand-in for Google.")
    parser.add_argument(
        "--once", action="store_true", help="sign in, run one pass, print the block list as JSON, end"
    )
    arguments = parser.parse_args()
    # All of it is on this machine, where a proxy of the network would only stand in the way.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    # End as by Ctrl-C: the program beside it ends too, and the folder is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="buyerblock-demo-") as folder, Sandbox() as google:
        google.add_user(SELLER)
        say(f"a stand-in for Google is at {google.url}")
        environment = settings_for(google, Path(folder))
        try:
            (once if arguments.once else watch)(google, environment)
        except KeyboardInterrupt:
            return 0
        except DemoError as error:
            say(f"demo: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
