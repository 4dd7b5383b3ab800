"""``buyerblock serve`` as a process of its own, told by its environment where "Google" is."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from oauth_web.demo.program import free_port
from oauth_web.demo.sandbox import Sandbox


def environment_for(google: Sandbox, folder: Path) -> dict[str, str]:
    """Return the environment of a program over this folder; its client file is made there."""
    secrets = folder / "client_secret.json"
    secrets.write_text(json.dumps(google.client_secrets("installed")), encoding="utf-8")
    return {
        **os.environ,
        "BUYERBLOCK_DATA_DIR": str(folder),
        "BUYERBLOCK_GMAIL_URL": google.url,
        "BUYERBLOCK_REVOKE_URL": google.revoke_url,
        "BUYERBLOCK_SECRET_KEY": "k" * 32,
        "BUYERBLOCK_PORT": str(free_port()),
    }


def page_of(environment: Mapping[str, str]) -> str:
    """Return the address of the page."""
    return f"http://{environment.get('BUYERBLOCK_HOST', '127.0.0.1')}:{environment['BUYERBLOCK_PORT']}"


def start(environment: Mapping[str, str], *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "oauth_web", "serve", "--no-open", *options]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8")


@contextmanager
def serving(environment: Mapping[str, str], *options: str) -> Iterator["subprocess.Popen[str]"]:
    """Run it until the test is done."""
    process = start(environment, *options)
    try:
        until(lambda: answers(environment))
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(environment: Mapping[str, str]) -> bool:
    try:
        return requests.get(f"{page_of(environment)}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


def until(condition: Callable[[], object], *, seconds: float = 30, every: float = 0.02) -> None:
    """Wait until something is so, for so many seconds at most. every: seconds between two looks."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"waited for {seconds} seconds"
        time.sleep(every)


def start_link(process: "subprocess.Popen[str]", environment: Mapping[str, str]) -> str:
    """Return the link for the first owner, from what the server prints."""
    assert process.stderr is not None
    line = next(line for line in process.stderr if "/start/" in line)
    return f"{page_of(environment)}/start/{line.rstrip().rpartition('/')[2]}"


def sign_in_on_the_page(
    browser: requests.Session, google: Sandbox, environment: Mapping[str, str], email: str
) -> None:
    """Press "Sign in with Google" and agree to everything, as a browser would; the start link was opened."""
    to_google = browser.get(f"{page_of(environment)}/sign-in", allow_redirects=False, timeout=30)
    back = google.consent(to_google.headers["Location"], email=email)
    assert browser.get(back, timeout=60).ok
