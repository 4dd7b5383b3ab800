"""A host for tests and benchmarks: sellers with mailboxes at the stand-in for Google, and workers as processes."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from oauth_web.demo.mails import Sale
from oauth_web.demo.mails import notice as notice_about
from oauth_web.demo.sandbox import Sandbox
from signing_in import settings_at, sign_in
from worker.clock import SystemClock
from worker.database.postgres import open_pool
from worker.database.postgres_schema import migrate
from worker.host.tenants import Tenants

_URL = "BUYERBLOCK_DATABASE_URL"


def alias(number: int) -> str:
    """Return the alias of a buyer."""
    return f"b{number:014}@marketplace.amazon.it"


def notice(number: int) -> bytes:
    """Return a notice about this buyer."""
    order = f"902-{number // 10**7:07}-{number % 10**7:07}"
    return notice_about(Sale("it", "it", order, alias(number)), "seller@gmail.com", datetime.now(UTC))


def connect(tenants: Tenants, google: Sandbox, folder: Path, sellers: int, mailboxes: int) -> dict[str, int]:
    """Connect so many mailboxes for each of so many sellers; return each mailbox's tenant."""
    found = {}
    for seller in range(sellers):
        tenant = tenants.add(f"owner{seller}@gmail.com")
        for number in range(mailboxes):
            email = f"seller{seller}.{number}@gmail.com"
            google.add_user(email)
            tenants.app(tenant).connect(sign_in(google, folder, email))
            found[email] = tenant
    return found


def environment(tenants: Tenants, url: str) -> dict[str, str]:
    """Return the environment variables of a host's processes."""
    settings = tenants.settings
    return {
        **os.environ,
        _URL: url,
        "BUYERBLOCK_SECRET_KEY": settings.secret_key or "",
        "BUYERBLOCK_GMAIL_URL": settings.gmail_url or "",
        "BUYERBLOCK_REVOKE_URL": settings.revoke_url,
        "BUYERBLOCK_CLIENT_SECRETS": str(settings.client_secrets),
        "BUYERBLOCK_SYNC_INTERVAL": str(settings.sync_interval),
        "BUYERBLOCK_LOG": "json",
    }


@contextmanager
def worker(
    variables: dict[str, str],
    log: Path,
    *options: str,
    program: tuple[str, ...] = ("-m", "worker", "host", "work"),
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker until the end of the block. log: the file for its standard error."""
    command = [sys.executable, *program, *options]
    with log.open("ab") as file, subprocess.Popen(command, env=variables, stderr=file) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _empty_database() -> Iterator[str]:
    """Create a database with the tables on the server of BUYERBLOCK_DATABASE_URL, yield its URL, and drop it."""
    server = os.environ.get(_URL)
    if not server:
        sys.exit(f"Left out: name a database in {_URL}, whose user may make others (CREATEDB).")
    name = f"buyerblock_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
        )
        try:
            url = make_conninfo(server, dbname=name)
            migrate(url)
            yield url
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Host(NamedTuple):
    """A host, its stand-in for Google, a folder for files, and the URL of its database."""

    tenants: Tenants
    google: Sandbox
    folder: Path
    url: str


@contextmanager
def new_host(*, interval: int = 60) -> Iterator[Host]:
    """Yield a host without sellers. interval: seconds between two looks at a mailbox."""
    with (
        _empty_database() as url,
        tempfile.TemporaryDirectory() as name,
        Sandbox() as google,
        closing(open_pool(url)) as pool,
    ):
        google.quota.allowance = None
        settings = settings_at(google, Path(name), sync_interval=interval, host_sign_up="open")
        with closing(Tenants(pool, settings, SystemClock())) as tenants:
            yield Host(tenants, google, Path(name), url)
