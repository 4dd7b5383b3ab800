"""The options of what exports: which blocks, and how a spreadsheet reads them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--account", metavar="ADDRESS", help="Only blocks from notices to this mailbox."),
    click.option("--marketplace", metavar="NAME", help="Only buyers of this one, such as amazon.it."),
    click.option(
        "--reason",
        type=click.Choice(["opted_out", "manual", "imported"]),
        help="Only blocks for this reason.",
    ),
    click.option(
        "--since",
        metavar="TIME",
        help="Only blocks seen since then, such as 2026-11-23 or 2026-11-23T10:00:00Z.",
    ),
    click.option(
        "--search", "q", metavar="TEXT", help="Only with this in the address, an order ID or the note."
    ),
)

marked = click.option(
    "--bom", is_flag=True, help="CSV with a byte-order mark, by which Excel on Windows shows accents right."
)


def filtered(command: _Command) -> _Command:
    """Give a command these options; it gets them by the names of ``listing.FILTERS``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
