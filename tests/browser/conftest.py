"""A real browser before the real page before the sandbox.

Needs a Chromium: the system's, or the one that ``playwright install chromium`` brings. Where it is missing, these tests
are skipped with a sentence, unless BUYERBLOCK_BROWSER_TESTS is "required".
"""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
from playwright.sync_api import Error, expect, sync_playwright
from visiting import OWNER
from werkzeug.serving import make_server

from oauth_web.application import create_app
from oauth_web.demo.sandbox import Sandbox
from oauth_web.services import NAME
from worker.app import App, build_app
from worker.settings import Settings

SAMPLES = Path(__file__).parent.parent / "samples"

PATIENCE = 10_000  # milliseconds
expect.set_options(timeout=PATIENCE)

# The page makes no request to the outside, and the browser shall make none of its own.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _skip(why: str) -> None:
    if os.environ.get("BUYERBLOCK_BROWSER_TESTS") == "required":
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A running browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error:
            _skip("The browser tests need Chromium; install it, or run: playwright install chromium")
        yield browser
        browser.close()


class Site:
    """One page with its engine and its Google."""

    def __init__(self, directory: Path, *, client_file: bool) -> None:
        self.google = Sandbox().start()
        self.google.add_user(OWNER)
        self.client = orjson.dumps(self.google.client_secrets())
        directory.mkdir()
        secrets = directory / "client_secret.json"
        if client_file:
            secrets.write_bytes(self.client)
        settings = Settings(
            data_dir=directory,
            client_secrets=secrets,
            gmail_url=self.google.url,
            revoke_url=self.google.revoke_url,
            units_per_minute=1_000_000,
        )
        self.google.quota.allowance = None
        self.engine: App = build_app(settings)
        self.engine.scheduler.start()
        self.restarts: list[str] = []
        self.cookies: list[Any] = []  # of the first who signed in
        page = create_app(self.engine, restart=lambda: self.restarts.append("restart"))
        self._server = make_server("127.0.0.1", 0, page, threaded=True)
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._start_link = page.extensions[NAME].services.start_link

    def start_link(self) -> str:
        """Return the link for the first owner."""
        return f"{self.url}/start/{self._start_link.show().rpartition('/')[2]}"

    def deliver(self, kind: str, most: int) -> None:
        """Deliver sample mails of one verdict, a day between each."""
        for number, path in enumerate(sorted((SAMPLES / kind).glob("*.eml"))[:most]):
            moment = datetime.now(UTC) - timedelta(days=number, hours=1)
            self.google.deliver(OWNER, path.read_bytes(), received_at=moment)

    def close(self) -> None:
        self.engine.scheduler.stop()
        self.engine.passes.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.google.stop()


# Not for the whole session: a scheduler at work draws from the generator of chance that Hypothesis watches over.
@pytest.fixture(scope="module")
def make_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    made = []

    def make(*, client_file: bool = True) -> Site:
        made.append(Site(tmp_path_factory.mktemp("site") / "data", client_file=client_file))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open tabs that must neither complain on the console nor ask another host."""
    complaints: list[str] = []
    contexts = []

    def listen(page: Any, hosts: tuple[str, ...]) -> None:
        # A page that is meant to be an error page is reported by the browser as one; that is no complaint.
        page.on(
            "console",
            lambda it: (
                complaints.append(it.text)
                if it.type in {"error", "warning"} and "the server responded with a status of" not in it.text
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda it: None if it.url.startswith(hosts) else complaints.append(it.url))

    def open_tab(*hosts: str, **options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        listen(page, hosts)
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def filled(make_site: Callable[..., Any]) -> Any:
    """A site whose mailbox is connected and read."""
    site = make_site()
    site.deliver("opt_out", 60)
    site.deliver("suspect", 8)
    return site
