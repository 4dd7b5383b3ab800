"""The commands for the webhook."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from worker.errors import UsageError
from worker.settings import current_settings, settled_settings

if TYPE_CHECKING:
    from worker.webhook.hook import Webhook


@click.group()
def webhook() -> None:
    """Tell an address of yours of every block and unblock."""


@webhook.command("set")
@click.argument("url")
@click.option("--allow-private", is_flag=True, help="The address may be in a private network.")
def set_webhook(url: str, allow_private: bool) -> None:
    """Tell this address from now on, and print the secret that signs the messages, for the only time."""
    from worker.block_list.block_list import BlockList
    from worker.files import make_private_directory

    directory = current_settings().data_dir
    make_private_directory(directory)
    block_list = BlockList(directory)
    secret = _webhook().set(url, allow_private=allow_private, block_list=block_list)
    click.echo(
        "The messages are signed as the Standard Webhooks specification says; this is the secret:", err=True
    )
    click.echo(secret)


@webhook.command()
def show() -> None:
    """Show the address and how it stands."""
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
    """Send a message that tells nothing."""
    from worker.webhook.delivery import try_out

    if problem := try_out(_webhook(), now=datetime.now(UTC)):
        raise UsageError(problem)
    click.echo("The message was taken.")


@webhook.command()
def resume() -> None:
    """Try again at once, from where it stopped."""
    _webhook().resume()
    click.echo("The next message is sent within seconds if the server runs.")


@webhook.command()
def remove() -> None:
    """Tell nobody any more."""
    click.echo("The webhook is removed." if _webhook().remove() else "There was no webhook.")


def _webhook() -> "Webhook":
    from worker.sealing import open_sealer
    from worker.webhook.hook import Webhook

    settings = settled_settings()
    return Webhook(settings.data_dir, open_sealer(settings.data_dir, settings.secret_key))
