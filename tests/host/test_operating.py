"""What whoever runs a host does: figures, new keys, and sellers who move in and out."""

import json
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hosting import alias, environment, notice
from oauth_web.demo.postgres_server import Server
from oauth_web.demo.sandbox import Sandbox
from signing_in import sign_in
from worker.app import build_app
from worker.cli.host import host
from worker.host.moving import export_seller, import_seller
from worker.host.operation import metrics, reseal
from worker.host.tally import tally
from worker.host.tenants import Tenants
from worker.host.work import Work
from worker.operation.backup import backup
from worker.operation.restore import restore
from worker.settings import Settings
from worker.webhook import Webhook

pytestmark = pytest.mark.postgres
EMAIL, OWNER = "seller@gmail.com", "ann@gmail.com"
PASSPHRASE = "a long passphrase of somebody"
KEY = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
Command = Callable[..., Result]


@pytest.fixture
def command(tenants: Tenants, postgres: Server, tmp_path: Path) -> Command:
    """Run ``buyerblock host`` with these arguments."""
    variables = environment(tenants, postgres.url()) | {"BUYERBLOCK_DATA_DIR": str(tmp_path / "unused")}

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(host, arguments, env=variables, standalone_mode=False)

    return run


def add_seller(tenants: Tenants, google: Sandbox, folder: Path) -> int:
    tenant = tenants.add(OWNER)
    tenants.app(tenant).connect(sign_in(google, folder, EMAIL))
    tenants.app(tenant).block_list.block([KEY], by="test")
    return tenant


def test_the_figures_say_what_waits_and_who_spends_most(
    tenants: Tenants, google: Sandbox, tmp_path: Path, command: Command
) -> None:
    tenant = add_seller(tenants, google, tmp_path)
    Work(tenants).run_pass(EMAIL, tenant)
    tally(tenants.pool, {("units", str(number)): number for number in range(100, 200)})
    found = metrics(tenants).decode()
    assert "buyerblock_host_due 1.0" in found
    assert 'buyerblock_host_passes_total{outcome="good"} 1.0' in found
    assert found.count("buyerblock_host_quota_units_total{") == 20
    assert 'quota_units_total{tenant="199"} 199.0' in found
    assert "@" not in found
    shown = json.loads(command("status", "--json").stdout)
    assert (shown["tenants"], shown["mailboxes"], shown["due"], shown["late"]) == (1, 1, 1, 0)
    Work(tenants).plan()
    people = command("status")
    assert "in line: 1 look todo, 1 tend todo\n" in people.stdout
    assert people.return_value == 1  # no worker runs


def test_a_new_key_takes_the_place_of_the_old_one(tenants: Tenants, google: Sandbox, tmp_path: Path) -> None:
    tenant = add_seller(tenants, google, tmp_path)
    app = tenants.app(tenant)
    grant = app.accounts.grant(EMAIL)
    secret = Webhook(app.database, app.sealer).set("https://example.com/hook")
    with closing(with_key(tenants, f"{'n' * 32} {'k' * 32}")) as both:
        assert reseal(both) == 2
    with closing(with_key(tenants, "n" * 32)) as new:
        assert new.app(tenant).accounts.grant(EMAIL) == grant
        hook = Webhook(new.app(tenant).database, new.sealer).get()
        assert hook is not None
        assert hook.secret == secret


def with_key(tenants: Tenants, key: str) -> Tenants:
    return Tenants(tenants.pool, replace(tenants.settings, secret_key=key), tenants.clock)


def at_home(tenants: Tenants, folder: Path) -> Settings:
    """Return the settings of a program of a seller's own."""
    return replace(tenants.settings, data_dir=folder, secret_key=None, database_url=None)


def test_a_seller_moves_in_with_a_backup_and_needs_no_new_sign_in(
    tenants: Tenants, google: Sandbox, tmp_path: Path
) -> None:
    home, saved = tmp_path / "home", tmp_path / "saved.backup"
    with closing(build_app(at_home(tenants, home))) as app:
        app.connect(sign_in(google, home, EMAIL))
        app.block_list.block([KEY], by="test")
        app.database.documents("owners").put({"bob@gmail.com": {"role": "full", "invited_by": ""}})
        backup(home, saved, PASSPHRASE)
    assert import_seller(tenants, OWNER, saved, PASSPHRASE) == (1, (EMAIL,))
    tenant = tenants.of_owner(OWNER)
    assert tenant is not None
    assert tenants.choices("bob@gmail.com") == {OWNER: OWNER, "bob@gmail.com": ""}, (
        "a backup may name anybody"
    )
    google.deliver(EMAIL, notice(7))
    Work(tenants).run_pass(EMAIL, tenant)
    assert {it.key for it in tenants.app(tenant).block_list.blocks()} == {KEY, alias(7)}


def test_who_is_here_already_does_not_move_in_a_second_time(
    tenants: Tenants, google: Sandbox, tmp_path: Path, command: Command
) -> None:
    tenant = add_seller(tenants, google, tmp_path)
    saved = tmp_path / "saved.backup"
    export_seller(tenants, tenant, saved, None)
    refused = command("tenant", "import", OWNER, str(saved))
    assert "is a seller here already" in str(refused.exception)
    refused = command("tenant", "import", "bob@gmail.com", str(saved))
    assert "another seller" in str(refused.exception)
    assert tenants.all() == {tenant: OWNER}
    assert "mailboxes: 1  blocks: 1" in command("tenant", "list").stdout


def test_a_seller_leaves_with_everything(
    tenants: Tenants, google: Sandbox, tmp_path: Path, command: Command
) -> None:
    add_seller(tenants, google, tmp_path)
    (words := tmp_path / "words").write_text(PASSPHRASE)
    saved = tmp_path / "saved.backup"
    assert command("tenant", "export", OWNER, str(saved), "--passphrase-file", str(words)).exit_code == 0
    assert command("tenant", "remove", OWNER, "--yes").exit_code == 0
    assert tenants.all() == {}
    restore(saved, tmp_path / "home", PASSPHRASE)
    with closing(build_app(at_home(tenants, tmp_path / "home"))) as app:
        google.deliver(EMAIL, notice(8))
        app.passes.run(EMAIL)
        assert {it.key for it in app.block_list.blocks()} == {KEY, alias(8)}


@pytest.mark.skipif(os.name != "posix", reason="systemd is for Linux.")
def test_a_unit_for_systemd_is_printed(command: Command) -> None:
    printed = command("work", "--threads", "8", "--print").stdout
    assert "host work --threads 8\n" in printed
    assert "Restart=always" in printed
