import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from clocks import FakeClock
from flask import Flask
from remembering import Remembered, remember_routes
from sellers import EMAIL, Seller, connected, running

from oauth_web.demo import postgres_server
from oauth_web.demo.sandbox import Sandbox
from worker.app import App
from worker.database import Database, open_database
from worker.database.postgres import Postgres, open_pool
from worker.database.postgres_pool import Pool
from worker.database.postgres_schema import add_tenant, migrate

# The tests of these run over both engines of the database.
BOTH_ENGINES = (
    "block_list",
    "webhook",
    "database/test_engine_contract.py",
    "database/test_tinydb.py",
    "oauth_web/test_entry.py",
    "oauth_web/test_sessions.py",
    "test_accounts.py",
    "test_preferences.py",
    "test_tokens.py",
)

# Everything here is on this machine, where a proxy of the network would only stand in the way.
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.lower(), None)

# Else every program that a test starts compiles all of its modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# In memory nobody waits for a disk; what a test proves of writing to one, it proves by faults.
if Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 4_000_000_000:
    os.environ.setdefault("TMPDIR", "/dev/shm")
    tempfile.tempdir = None  # pytest has asked for it already

# Nearly every test of the page makes an application of its own, with the same templates and routes.
Flask.jinja_options = {"bytecode_cache": Remembered()}
remember_routes()


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


def pytest_collection_finish() -> None:
    # Thousands of tests that stay until the end need not be looked through for garbage, nor anything so often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    path = metafunc.definition.path.relative_to(Path(__file__).parent)
    if "opened" in metafunc.fixturenames and any(path.is_relative_to(it) for it in BOTH_ENGINES):
        postgres = pytest.param("postgres", marks=pytest.mark.postgres)
        metafunc.parametrize("opened", ["sqlite", postgres], indirect=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    programs = postgres_server.programs()
    if programs is None:
        required = os.environ.get("BUYERBLOCK_POSTGRES_TESTS") == "required"
        (pytest.fail if required else pytest.skip)(
            "PostgreSQL's programs are missing; on Debian: apt-get install postgresql"
        )
    with postgres_server.running(programs) as server:
        yield server


@pytest.fixture(scope="session")
def pool(postgres: postgres_server.Server) -> Iterator[Pool]:
    migrate(postgres.url())
    with closing(open_pool(postgres.url())) as pool:
        yield pool


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Database]]:
    """Open the database of a name, "" for the usual one, once more with every call."""

    def open_file(name: str = "") -> Database:
        (tmp_path / name).mkdir(exist_ok=True)
        return kept(open_database(tmp_path / name))

    def open_tenant(name: str = "") -> Database:
        pool: Pool = request.getfixturevalue("pool")
        tenant = pool.run(lambda connection: add_tenant(connection, f"{tmp_path} {name}"))
        return kept(Database(Postgres(pool, tenant)))

    def kept(database: Database) -> Database:
        stack.callback(database.close)
        return database

    with ExitStack() as stack:
        yield open_tenant if getattr(request, "param", "sqlite") == "postgres" else open_file


@pytest.fixture
def database(opened: Callable[..., Database]) -> Database:
    return opened()


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
