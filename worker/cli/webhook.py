"""The commands for the webhook."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from worker.cli.database import open_for_command, sealer_for_command
from worker.errors import UsageError

if TYPE_CHECKING:
    from worker.webhook.hook import Webhook


@click.group()
def webhook() -> None:
    """Send every block and unblock to an address of yours."""


@webhook.command("set")
@click.argument("url")
@click.option("--allow-private", is_flag=True, help="The address may be in a private network.")
def set_webhook(url: str, allow_private: bool) -> None:
    """Send changes to this address from now on.

    Prints the secret that signs the messages, for the only time.
    """
    secret = _webhook(new=True).set(url, allow_private=allow_private)
    click.echo(
        "The messages are signed as the Standard Webhooks specification says; this is the secret:", err=True
    )
    click.echo(secret)


@webhook.command()
def show() -> None:
    """Show the address and its state."""
    hook = _webhook().existing()
    click.echo(hook.url)
    if hook.problem:
        click.echo(f"Failed {hook.failures} times in a row: {hook.problem}")
    if hook.paused:
        click.echo("It was tried for a day and is paused; “buyerblock webhook resume” goes on.")
    elif hook.next_try:
        click.echo(f"Next try at {hook.next_try:%Y-%m-%d %H:%M:%S} UTC.")


@webhook.command()
def test() -> None:
    """Send a test message."""
    from worker.webhook.delivery import send_test

    if problem := send_test(_webhook(), now=datetime.now(UTC)):
        raise UsageError(problem)
    click.echo("The message was taken.")


@webhook.command()
def resume() -> None:
    """Try again at once, from where it stopped."""
    _webhook().resume()
    click.echo("The next message is sent within seconds if the server runs.")


@webhook.command()
def remove() -> None:
    """Remove the webhook."""
    click.echo("The webhook is removed." if _webhook().remove() else "There was no webhook.")


def _webhook(*, new: bool = False) -> "Webhook":
    from worker.webhook.hook import Webhook

    return Webhook(open_for_command(new=new), sealer_for_command())
