from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from oauth_web.demo.sandbox import Sandbox
from signing_in import settings_at
from worker.clock import SystemClock
from worker.database.postgres_pool import Pool
from worker.host.tenants import Tenants
from worker.settings import Settings

TABLES = (
    *("looks", "tallies", "limits", "tokens", "owners", "accounts", "procrastinate_jobs", "tenants"),
    *("announcements", "notifications", "problems", "webhook"),
)


@pytest.fixture
def empty_pool(pool: Pool) -> Pool:
    """The pool, with nothing of other tests."""
    pool.run(lambda connection: connection.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE".encode()))
    return pool


@pytest.fixture
def google() -> Iterator[Sandbox]:
    """A stand-in for Google by the machine's clock, as PostgreSQL has it."""
    with Sandbox() as google:
        google.add_user("seller@gmail.com")
        yield google


@pytest.fixture
def host_settings(google: Sandbox, tmp_path: Path) -> Settings:
    return settings_at(google, tmp_path, sync_interval=5, database_url="unused", host_sign_up="open")


@pytest.fixture
def tenants(empty_pool: Pool, host_settings: Settings) -> Iterator[Tenants]:
    with closing(Tenants(empty_pool, host_settings, SystemClock())) as tenants:
        yield tenants
