from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clocks import FakeClock

from oauth_web.demo.sandbox import Sandbox
from worker.database.postgres_pool import Pool
from worker.host.tenants import Tenants
from worker.settings import Settings

TABLES = ("looks", "limits", "tokens", "owners", "accounts", "procrastinate_jobs", "tenants")


@pytest.fixture
def empty_pool(pool: Pool) -> Pool:
    """The pool, with nothing of other tests."""
    pool.run(lambda connection: connection.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE".encode()))
    return pool


@pytest.fixture
def host_settings(google: Sandbox, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path,
        client_secrets=tmp_path / "client_secret.json",
        gmail_url=google.url,
        revoke_url=google.revoke_url,
        secret_key="k" * 32,
        host_sign_up="open",
    )


@pytest.fixture
def tenants(empty_pool: Pool, host_settings: Settings, clock: FakeClock) -> Iterator[Tenants]:
    with closing(Tenants(empty_pool, host_settings, clock)) as tenants:
        yield tenants
