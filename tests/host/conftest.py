from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from new_host import emptied, settings_of_host

from oauth_web.demo.sandbox import Sandbox
from worker.clock import SystemClock
from worker.database.postgres_pool import Pool
from worker.host.tenants import Tenants
from worker.settings import Settings


@pytest.fixture
def empty_pool(pool: Pool) -> Pool:
    """The pool, with nothing of other tests."""
    return emptied(pool)


@pytest.fixture
def google() -> Iterator[Sandbox]:
    """A stand-in for Google by the machine's clock, as PostgreSQL has it."""
    with Sandbox() as google:
        google.add_user("seller@gmail.com")
        yield google


@pytest.fixture
def host_settings(google: Sandbox, tmp_path: Path) -> Settings:
    return settings_of_host(google, tmp_path)


@pytest.fixture
def tenants(empty_pool: Pool, host_settings: Settings) -> Iterator[Tenants]:
    with closing(Tenants(empty_pool, host_settings, SystemClock())) as tenants:
        yield tenants
