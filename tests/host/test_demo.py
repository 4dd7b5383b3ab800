"""``buyerblock demo --host``: the processes of a host before the stand-in for Google, and what it says without them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click import Command
from click.testing import CliRunner

from oauth_web.cli import demo
from oauth_web.demo import postgres_server
from oauth_web.demo.mailboxes import ACCOUNTS
from oauth_web.demo.many_sellers import once
from oauth_web.demo.program import DemoError
from oauth_web.demo.sandbox import Sandbox
from worker.cli.host import host
from worker.errors import UsageError


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres")  # not there, the test is skipped
def test_the_demo_of_a_host_prints_the_exact_list_of_each_seller() -> None:
    command = [sys.executable, "-m", "oauth_web", "demo", "--host", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    lists = json.loads(done.stdout)
    assert tuple(lists) == ACCOUNTS
    for email, exported in lists.items():
        assert exported["count"] > 20
        assert {account for it in exported["blocks"] for account in it["accounts"]} == {email}


def test_the_demo_of_a_host_says_what_to_install_where_postgresql_is_missing(
    monkeypatch: pytest.MonkeyPatch, google: Sandbox, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgres_server, "programs", lambda: None)
    with pytest.raises(DemoError, match="apt install postgresql"):
        once(google, tmp_path)


@pytest.mark.parametrize(("command", "option"), [(demo, "--host"), (host, "status")])
def test_what_needs_the_packages_of_hosts_says_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch, command: Command, option: str
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    said = CliRunner().invoke(command, [option], standalone_mode=False)
    assert isinstance(said.exception, UsageError)
    assert "scripts/host.py" in str(said.exception)
