"""The page over an engine whose clock the test moves; no Google here, see conftest's neighbours for that."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import orjson
import pytest
from browsing import open_start_link
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from people import CLIENT, GRANT, OWNER

from oauth_web.application import create_app
from oauth_web.services import NAME, Services
from worker.app import App, build_app
from worker.block_list.model import Sighting
from worker.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "client_secret.json"
    path.write_bytes(orjson.dumps(CLIENT))
    return Settings(data_dir=tmp_path / "data", client_secrets=path)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def engine(settings: Settings, clock: FakeClock) -> Iterator[App]:
    app = build_app(settings, clock)
    yield app
    app.close()


@pytest.fixture
def terminal() -> list[str]:
    """What was printed on the server's terminal."""
    return []


@pytest.fixture
def restarts() -> list[str]:
    """What the server was asked for."""
    return []


@pytest.fixture
def web(engine: App, terminal: list[str], restarts: list[str]) -> Flask:
    app = create_app(engine, say=terminal.append, restart=lambda: restarts.append("restart"))
    app.testing = False  # errors become pages, as they do for sellers
    return app


@pytest.fixture
def services(web: Flask) -> Services:
    return cast(Services, web.extensions[NAME].services)


@pytest.fixture
def stranger(web: Flask) -> FlaskClient:
    return web.test_client()


@pytest.fixture
def admitted(web: Flask) -> FlaskClient:
    """A browser that may sign in first."""
    return open_start_link(web.test_client())


@pytest.fixture
def sign_in(web: Flask, services: Services) -> Callable[[str], FlaskClient]:
    """Return a browser in which this owner is signed in."""

    def signed_in(email: str) -> FlaskClient:
        services.owners.claim(email)
        name = f"a-session-of-{email}"
        services.sessions.put(name, {"owner": email, "csrf_token": "raw"}, new=True)
        client = web.test_client()
        client.set_cookie("buyerblock-8000", name, domain="localhost")
        return client

    return signed_in


@pytest.fixture
def owner(sign_in: Callable[[str], FlaskClient]) -> FlaskClient:
    return sign_in(OWNER)


@pytest.fixture
def account(engine: App, clock: FakeClock) -> str:
    """A connected mailbox of the owner's, without a Google behind it."""
    engine.accounts.connect(OWNER, GRANT, now=clock.now())
    return OWNER


@pytest.fixture
def blocked(engine: App, clock: FakeClock) -> str:
    """A buyer on the list."""
    engine.block_list.record(
        [
            Sighting(
                account=OWNER,
                message_id="notice-1@eu-west-1.amazonses.com",
                received_at=clock.now() - timedelta(days=1),
                address="abcdef0123456789@marketplace.amazon.it",
                order_id="406-1234567-7654321",
                marketplace="amazon.it",
            )
        ]
    )
    return "abcdef0123456789@marketplace.amazon.it"
