"""Run the program as processes whose settings contain the address of the stand-in for Google."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import requests

from oauth_web.demo.sandbox import Sandbox
from worker.errors import BuyerblockError
from worker.operation.service import page_answers

# The folder of this program: another version may be installed, or be in the current folder.
_HOME = Path(__file__).parents[2]
_BUYERBLOCK = (sys.executable, "-m", "oauth_web")
INTERVAL = 1  # seconds between two passes, so that the demo is fast
MAX_WAIT = 120  # seconds until the page answers


class DemoError(BuyerblockError):
    """The demo failed."""


def environment_for(google: Sandbox, folder: Path) -> dict[str, str]:
    """Return the environment of programs that use this folder and this stand-in for Google."""
    secrets = folder / "client_secret.json"
    secrets.write_text(json.dumps(google.client_secrets("installed")), encoding="utf-8")
    # Without the settings of the seller who tries the demo.
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("BUYERBLOCK_")},
        "BUYERBLOCK_DATA_DIR": str(folder),
        "BUYERBLOCK_CLIENT_SECRETS": str(secrets),
        "BUYERBLOCK_GMAIL_URL": google.url,
        "BUYERBLOCK_REVOKE_URL": google.revoke_url,
        "BUYERBLOCK_SYNC_INTERVAL": str(INTERVAL),
    }


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(
    environment: Mapping[str, str], *arguments: str, stderr: int | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run a command until the end of the block."""
    with subprocess.Popen(
        [*_BUYERBLOCK, *arguments],
        cwd=_HOME,
        env=environment,
        stdout=sys.stderr,
        stderr=stderr,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def run(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a command and return its output. Raises DemoError."""
    command = [*_BUYERBLOCK, *arguments]
    done = subprocess.run(
        command, cwd=_HOME, env=environment, check=False, capture_output=True, encoding="utf-8"
    )
    if done.returncode != 0:
        raise DemoError(f"“buyerblock {' '.join(arguments)}” failed: {done.stderr.strip()}")
    return done.stdout


def sign_in(google: Sandbox, browser: requests.Session, page: str, email: str) -> None:
    """Press "Sign in with Google" and agree to everything, like a browser. Raises DemoError."""
    to_google = browser.get(f"{page}/sign-in", allow_redirects=False, timeout=30)
    back = google.consent(to_google.headers["Location"], email=email)
    if not browser.get(back, timeout=60).ok:
        raise DemoError(f"The sign-in of {email} did not succeed.")


class Program:
    """buyerblock with its own folder. page: the URL of its page. start_link: the printed link for the first owner."""

    def __init__(self, google: Sandbox, folder: Path) -> None:
        port = free_port()
        self.page = f"http://localhost:{port}"
        self.start_link = ""
        self._environment = environment_for(google, folder) | {"BUYERBLOCK_PORT": str(port)}

    @contextmanager
    def serving(self, *options: str) -> Iterator[None]:
        """Run ``buyerblock serve``; the block starts when the page answers. Raises DemoError."""
        with running(self._environment, "serve", *options, stderr=subprocess.PIPE) as process:
            Thread(target=self._listen, args=(process.stderr,), daemon=True).start()
            ends = time.monotonic() + MAX_WAIT
            while not (self.start_link and self.answers()):
                if process.poll() is not None or time.monotonic() > ends:
                    raise DemoError("The program did not start; its last words are above.")
                time.sleep(0.1)
            yield

    def _listen(self, output: Iterable[str]) -> None:
        """Print the program's output, and store its start link."""
        for line in output:
            print(line, end="", file=sys.stderr, flush=True)
            if "/start/" in line:
                self.start_link = line.split()[-1]

    def answers(self) -> bool:
        return page_answers(f"{self.page}/")

    def run(self, *arguments: str) -> str:
        """Run another command and return its output. Raises DemoError."""
        return run(self._environment, *arguments)

    def address_for_forwards(self, email: str) -> str | None:
        """Return an account's personal address for notices, or None if it is not connected."""
        lines = [line.split() for line in self.run("accounts").splitlines()]
        return next((words[-1] for words in lines if words[0] == email), None)

    def sign_in(self, google: Sandbox, browser: requests.Session, email: str) -> None:
        """Sign in, as the first owner or with another account. Raises DemoError."""
        browser.get(self.start_link, timeout=30)
        sign_in(google, browser, self.page, email)
