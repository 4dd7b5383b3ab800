"""The commands for tokens of the HTTP API."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from worker.cli.database import open_for_command
from worker.errors import UsageError
from worker.settings import current_settings

if TYPE_CHECKING:
    from worker.owner.tokens import Scope, Tokens


@click.group()
def token() -> None:
    """Make, list and revoke tokens for the HTTP API."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["read", "write", "download"]),
    default="read",
    show_default=True,
    help="read: check, list and export. write: block and unblock too. download: an address for Google Sheets and Excel "
    "to fetch the list from, and nothing else.",
)
def create(name: str, scope: "Scope") -> None:
    """Make a token and print it, for the only time."""
    secret = _tokens(new=True).create(name, scope, now=datetime.now(UTC))
    if scope == "download":
        settings = current_settings()
        click.echo("This address is shown only now; whoever has it can read the list.", err=True)
        click.echo(f"{(settings.public_url or settings.own_url).rstrip('/')}/blocks.csv?token={secret}")
        return
    click.echo("This token is shown only now; send it as Authorization: Bearer TOKEN.", err=True)
    click.echo(secret)


@token.command("list")
def list_tokens() -> None:
    """List the tokens: name, scope, when they were made and last used."""
    known = _tokens().all()
    if not known:
        click.echo("There is no token yet; make one with “buyerblock token create NAME”.", err=True)
    for it in known:
        used = f"last used {it.last_used:%Y-%m-%d %H:%M} UTC" if it.last_used else "never used"
        click.echo(f"{it.name}  {it.scope}  made {it.created_at:%Y-%m-%d}  {used}")


@token.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Make a token useless at once."""
    if not _tokens().revoke(name):
        raise UsageError(
            "There is no token called {name!r}; “buyerblock token list” shows those there are.", name=name
        )
    click.echo(f"{name} is revoked.")


def _tokens(*, new: bool = False) -> "Tokens":
    from worker.owner.tokens import Tokens

    return Tokens(open_for_command(new=new))
