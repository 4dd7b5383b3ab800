"""The options of commands that export: the format and the filters."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

# The names of the formats, repeated here so that --help and shell completion do not load the formats.
_SERVICES = ("mailgun", "ses", "sendgrid", "postmark", "listmonk")
IMPORT_AND_EXPORT = ("txt", "orders", *_SERVICES, "csv-bom", "postfix", "tinydb")
EXPORTS = ("json", "ndjson", "csv", "xlsx", *IMPORT_AND_EXPORT)

_OPTIONS = (
    click.option(
        "--bom",
        is_flag=True,
        help="CSV with a byte-order mark, by which Excel on Windows shows accents right.",
    ),
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


def export_options(default: str) -> Callable[[_Command], _Command]:
    """Add these options to a command: ``name`` of a format, ``bom``, and the filters of ``listing.FILTERS``."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(_OPTIONS):
            command = option(command)
        return click.option(
            *("--format", "name"),
            type=click.Choice(EXPORTS),
            default=default,
            show_default=True,
            help="Who is to read it.",
        )(command)

    return decorate
