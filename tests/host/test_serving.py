"""``buyerblock host serve`` as processes of their own, which answer one browser in turn, as behind a load balancer."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
import requests

from hosting import environment
from oauth_web.demo.postgres_server import Server
from oauth_web.demo.program import free_port
from oauth_web.demo.sandbox import Sandbox
from worker.host.tenants import Tenants

pytestmark = pytest.mark.postgres
NAME = "localhost:9"  # of the load balancer
EMAIL = "ann@gmail.com"


class Balancer:
    """A browser's way to two processes: each request goes to the other one."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = ports
        self._cookies: dict[str, str] = {}

    def ask(self, path: str, form: dict[str, str] | None = None) -> requests.Response:
        self._ports.reverse()
        answer = requests.request(
            "GET" if form is None else "POST",
            f"http://127.0.0.1:{self._ports[0]}{path}",
            data=form,
            headers={"Host": NAME},
            cookies=self._cookies,
            allow_redirects=False,
            timeout=60,
        )
        self._cookies |= dict(answer.cookies.items())
        return answer


@pytest.fixture
def processes(
    tenants: Tenants, postgres: Server, google: Sandbox, tmp_path: Path
) -> Iterator[list[tuple[int, "subprocess.Popen[bytes]"]]]:
    google.add_user(EMAIL)
    (tmp_path / "client_secret.json").write_bytes(orjson.dumps(google.client_secrets()))
    variables = environment(tenants, postgres.url()) | {
        "BUYERBLOCK_PUBLIC_URL": f"http://{NAME}",
        "BUYERBLOCK_HOST_SIGN_UP": "open",
    }
    with ExitStack() as stack:
        started = []
        for port in (free_port(), free_port()):
            command = [sys.executable, "-m", "oauth_web", "host", "serve", "--port", str(port)]
            process = stack.enter_context(subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL))
            stack.callback(process.kill)
            started.append((port, process))
        for port, _ in started:
            until_ready(port)
        yield started


def until_ready(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail("It did not begin to serve.")


def test_a_browser_signs_in_and_goes_on_whichever_process_answers_and_each_stops_in_time(
    processes: list[tuple[int, "subprocess.Popen[bytes]"]], tenants: Tenants, google: Sandbox
) -> None:
    browser = Balancer([port for port, _ in processes])
    sent = browser.ask("/sign-in")
    callback = urlsplit(google.consent(sent.headers["Location"], email=EMAIL))
    assert browser.ask(f"{callback.path}?{callback.query}").status_code == 303
    for _ in range(2):
        assert browser.ask("/blocks").status_code == 200
    csrf = browser.ask("/import").text.split('name="csrf_token" value="')[1].split('"')[0]
    large = "\n".join(f"111-{number:07d}-1111111" for number in range(20_000))
    preview = browser.ask("/import", {"csrf_token": csrf, "text": large})
    assert "<strong>20,000</strong>" in preview.text, "more than a stranger may send"
    pending = preview.text.split('name="pending" value="')[1].split('"')[0]
    assert browser.ask("/import/apply", {"csrf_token": csrf, "pending": pending}).status_code == 303
    assert [it.email for it in tenants.app(tenants.of_owner(EMAIL) or 0).accounts.all()] == [EMAIL]
    for _, process in processes:
        process.send_signal(signal.SIGTERM)
    for _, process in processes:
        assert process.wait(timeout=5) == 0
