"""What a host begins with: an empty database, and settings for the stand-in for Google."""

from pathlib import Path

from oauth_web.demo.sandbox import Sandbox
from signing_in import settings_at
from worker.database.postgres_pool import Pool
from worker.settings import Settings

_TABLES = (
    *("looks", "tallies", "limits", "tokens", "owners", "accounts", "procrastinate_jobs", "tenants"),
    *("announcements", "notifications", "problems", "webhook"),
)


def emptied(pool: Pool) -> Pool:
    """Take away what other tests left."""
    # Not by TRUNCATE, which makes the files of all tables and indexes anew.
    deletions = ";".join(f"DELETE FROM {it}" for it in _TABLES).encode()
    pool.run(lambda connection: connection.execute(deletions))
    return pool


def settings_of_host(google: Sandbox, folder: Path) -> Settings:
    return settings_at(google, folder, sync_interval=5, database_url="unused", host_sign_up="open")
