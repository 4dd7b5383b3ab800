"""The commands of a host: many sellers on several machines."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.cli.as_json import print_json
from worker.cli.operation import passphrase_of, with_passphrase
from worker.errors import UsageError
from worker.settings import current_settings

if TYPE_CHECKING:
    from worker.host.tenants import Tenants
    from worker.settings import Settings

THREADS = 32


@click.group()
def host() -> None:
    """Run buyerblock for many sellers, over PostgreSQL.

    Processes may run on any number of machines.
    """
    require_packages()


def require_packages() -> None:
    """Raise UsageError if the optional packages of hosts are not installed."""
    if not all(find_spec(it) for it in ("psycopg", "procrastinate")):
        raise UsageError(
            "The packages for many sellers are not installed; use scripts/host.py, "
            "or install buyerblock with its extra “host”, as in: pipx install '.[host]'"
        )


@host.command("migrate")
def migrate_tables() -> None:
    """Make the tables, or bring them up to date.

    It may be repeated.
    """
    from worker.database.postgres_schema import migrate
    from worker.host.program import database_url

    for name in migrate(database_url(current_settings())):
        click.echo(f"done: {name}")
    click.echo("The tables are those of this version.")


@host.command()
@click.option(
    "--threads",
    type=click.IntRange(1, 500),
    default=THREADS,
    show_default=True,
    help="Passes at once, and as many looks.",
)
@click.option("--print", "only_print", is_flag=True, help="Only show a systemd unit that runs this.")
def work(threads: int, only_print: bool) -> None:
    """Run passes until Ctrl-C.

    As many workers may run as you like, on any machine.
    """
    if only_print:
        from worker.host.units import worker_unit

        click.echo(worker_unit("--threads", str(threads)), nl=False)
        return
    from worker.host.program import work as run

    run(logging_settings(), threads)


@host.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(as_json: bool) -> int:
    """Show what is looked at, and whether in time.

    Exit code 0: all is well, 1: mailboxes wait for too long, or no worker runs.
    """
    from worker.host.operation import statistics

    found = statistics(_tenants().pool)
    in_line = {f"{task} {state}": number for (task, state), number in found.in_line.items()}
    shown = found._asdict()
    if as_json:
        print_json(shown | {"in_line": in_line})
    else:
        jobs = ", ".join(f"{number:,} {job}" for job, number in in_line.items())
        for name, value in (shown | {"in_line": jobs}).items():
            click.echo(f"{name.replace('_', ' ')}: {value or 0}")
    return int(bool(found.late) or not found.workers)


@host.command()
def reseal() -> None:
    """Seal everything with the first of the keys.

    BUYERBLOCK_SECRET_KEY holds the new key, a space, and the former one, which can be taken away afterwards.
    """
    from worker.host.operation import reseal as run_reseal

    click.echo(f"{run_reseal(_tenants()):,} records are sealed with the first key.")


@host.command()
@click.argument("name")
def token(name: str) -> None:
    """Make a token for a monitor.

    It reads /metrics of the host, and is printed for the only time.
    """
    from worker.owner.tokens import Tokens

    tenants = _tenants()
    click.echo(Tokens(tenants.host_database).create(name, now=tenants.clock.now()))


@host.group()
def tenant() -> None:
    """The sellers of the host, by the address of their owner."""


@tenant.command("list")
def list_tenants() -> None:
    """List the sellers: owner, mailboxes, blocks."""
    tenants = _tenants()
    for number, owner in tenants.all().items():
        app = tenants.app(number)
        click.echo(f"{owner}  mailboxes: {len(app.accounts.all())}  blocks: {len(app.block_list):,}")


@tenant.command("import")
@click.argument("owner")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@with_passphrase
def import_tenant(owner: str, file: Path, passphrase_file: Any, ask_passphrase: bool) -> None:
    """Make a seller of a backup."""
    from worker.host.moving import import_seller

    passphrase = passphrase_of(passphrase_file, ask=ask_passphrase, twice=False)
    blocks, accounts = import_seller(_tenants(), owner.lower(), file, passphrase)
    click.echo(f"{owner} is here (blocks: {blocks:,}, mailboxes: {len(accounts)}).")


@tenant.command("export")
@click.argument("owner")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_passphrase
def export_tenant(owner: str, file: Path, passphrase_file: Any, ask_passphrase: bool) -> None:
    """Write a backup for a program of their own.

    Without a passphrase the key to the mailboxes is left out.
    """
    from worker.host.moving import export_seller

    tenants = _tenants()
    passphrase = passphrase_of(passphrase_file, ask=ask_passphrase, twice=True)
    export_seller(tenants, _tenant_number(tenants, owner), file, passphrase)
    click.echo(f"{file} is written.")


@tenant.command("remove")
@click.argument("owner")
@click.confirmation_option(prompt="Delete all that is kept of this seller?")
def remove_tenant(owner: str) -> None:
    """Delete a seller, with the block list.

    The mailboxes keep their labels and filters.
    """
    tenants = _tenants()
    tenants.remove(_tenant_number(tenants, owner))
    click.echo(f"{owner} is gone.")


def _tenant_number(tenants: "Tenants", owner: str) -> int:
    if (number := tenants.of_owner(owner)) is None:
        raise UsageError("{owner} is no seller here; see: buyerblock host tenant list", owner=owner)
    return number


def _tenants() -> "Tenants":
    from worker.clock import SystemClock
    from worker.database.postgres import open_pool
    from worker.host.program import database_url
    from worker.host.tenants import Tenants

    settings = current_settings()
    pool = open_pool(database_url(settings), connections=4)
    tenants = Tenants(pool, settings, SystemClock())
    context = click.get_current_context()
    context.call_on_close(pool.close)
    context.call_on_close(tenants.close)
    return tenants


def logging_settings() -> "Settings":
    """Set up the log of a long-running process, and return its settings."""
    from worker.operation.logs import set_up

    settings = current_settings()
    keys = (settings.secret_key or "").split()
    set_up(as_json=settings.log == "json", secrets=(*keys, settings.database_url))
    return settings
