"""When passes are late: one answer for monitors, ``status`` and the page, whichever process gives it."""

from contextlib import closing
from datetime import timedelta

import pytest
from clocks import FakeClock
from flask.testing import FlaskClient
from sellers import EMAIL, sample

from oauth_web.application import create_app
from oauth_web.demo.sandbox import Fault, Sandbox
from oauth_web.services import NAME
from worker.app import App, build_app
from worker.errors import TransientError
from worker.operation.health import health, status_of

NOTICE = "opt_out/it_specimen_shape.eml"
LONG = timedelta(minutes=19).total_seconds()


@pytest.fixture
def page(app: App) -> FlaskClient:
    """An owner's browser."""
    web = create_app(app)
    services = web.extensions[NAME].services
    services.owners.claim(EMAIL)
    services.sessions.put("a-session", {"owner": EMAIL}, new=True)
    browser = web.test_client()
    browser.set_cookie("buyerblock-8000", "a-session", domain="localhost")
    return browser


def answers(app: App, page: FlaskClient) -> list[bool]:
    """Return who says that all is well: a monitor, the page, and a command beside the server."""
    with closing(build_app(app.settings, app.clock)) as command:
        return [
            page.get("/readyz").status_code == 200,
            'class="account is-problem"' not in page.get("/live").text,
            health(command, app.clock.now()).ready,
            status_of(command, command.accounts.get(EMAIL), app.clock.now())[0] == "ok",
        ]


def test_a_first_pass_of_hours_is_not_late_while_it_comes_further(
    app: App, google: Sandbox, clock: FakeClock, page: FlaskClient
) -> None:
    for _ in range(250):
        google.deliver(EMAIL, sample(NOTICE))
    seen: list[list[bool]] = []

    def watch(_: object) -> None:
        seen.append(answers(app, page))
        clock.advance(LONG)

    app.passes.run(EMAIL, watch)
    assert len(seen) >= 5
    assert all(map(all, seen))


def test_a_pass_that_comes_no_further_is_late_although_google_still_answers(
    app: App, google: Sandbox, clock: FakeClock, page: FlaskClient
) -> None:
    for _ in range(250):
        google.deliver(EMAIL, sample(NOTICE))
    seen: list[list[bool]] = []

    def look() -> None:
        seen.append(answers(app, page))
        clock.advance(LONG)
        seen.append(answers(app, page))

    def fault(_number: int, _method: str, _email: str) -> Fault | None:
        if app.accounts.get(EMAIL).progress is None:
            return None
        google.fault = None
        return Fault(before=look)

    google.fault = fault
    app.passes.run(EMAIL)
    assert seen == [[True] * 4, [False] * 4]
    assert answers(app, page) == [True] * 4


def test_passes_that_come_further_and_then_fail_are_late(
    app: App, google: Sandbox, clock: FakeClock, page: FlaskClient
) -> None:
    google.deliver(EMAIL, sample(NOTICE))
    google.fault = lambda _number, method, _email: Fault(status=503) if method == "messages.modify" else None
    clock.advance(LONG)
    with pytest.raises(TransientError):
        app.passes.run(EMAIL)
    assert answers(app, page) == [False] * 4
