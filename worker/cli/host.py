"""The commands of a host: many sellers on several machines."""

from typing import TYPE_CHECKING

import click

from worker.settings import current_settings

if TYPE_CHECKING:
    from worker.settings import Settings

THREADS = 32


@click.group()
def host() -> None:
    """Serve many sellers from several machines, by PostgreSQL."""


@host.command("migrate")
def migrate_tables() -> None:
    """Make the tables, or bring them up to date. Safe to repeat."""
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
    """Run passes and looks until Ctrl-C. As many workers may run as you like, on any machine."""
    if only_print:
        from worker.host.units import unit

        click.echo(unit("buyerblock-work", "passes", ("host", "work", "--threads", str(threads))), nl=False)
        return
    from worker.host.program import work as run

    run(_logging(), threads)


def _logging() -> "Settings":
    from worker.operation.logs import set_up

    settings = current_settings()
    keys = (settings.secret_key or "").split()
    set_up(as_json=settings.log == "json", secrets=(*keys, settings.database_url))
    return settings
