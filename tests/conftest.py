import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import FakeClock
from sellers import EMAIL, Seller, connected, running

from oauth_web.demo.sandbox import Sandbox
from worker.app import App
from worker.database import Database, open_database

# Everything here is on this machine, where a proxy of the network would only stand in the way.
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.lower(), None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak", type=float, metavar="MINUTES", help="run the whole program for so long, in real time"
    )
    parser.addoption(
        "--screenshots", action="store_true", help="renew the pictures of the README from the browser tests"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest test first: at the end all others would wait for it.
    items.sort(key=lambda item: item.path.name != "test_year.py")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.close()


@pytest.fixture
def google(clock: FakeClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as google:
        google.add_user(EMAIL)
        yield google


@pytest.fixture
def seller(google: Sandbox, clock: FakeClock, tmp_path: Path) -> Iterator[Seller]:
    with connected(google, clock, tmp_path) as seller:
        yield seller


@pytest.fixture
def app(google: Sandbox, clock: FakeClock, tmp_path: Path) -> Iterator[App]:
    """The whole program, its scheduler not started, with the seller's mailbox connected."""
    with running(google, tmp_path, EMAIL, clock=clock) as app:
        yield app
