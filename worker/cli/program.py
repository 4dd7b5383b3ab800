"""The program's commands together, and how their errors are shown."""

import os
import sys
from io import TextIOWrapper

import click

from worker.cli.accounts import accounts, disconnect, status, sync
from worker.cli.block_list import audit, block, check, export, import_list, scan, unblock, undo_import
from worker.cli.gate import gate
from worker.cli.operation import backup, restore, service
from worker.cli.tokens import token
from worker.cli.webhook import webhook
from worker.errors import BuyerblockError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="buyerblock")
def commands() -> None:
    """Keep a block list of Amazon buyers who opted out of messages, straight from Gmail."""


def run(group: click.Group) -> int:
    """Run the command line and return its exit code; every error is one sentence on standard error."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A pipe on Windows takes few letters; a file's name must not end the scan.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        result = group.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
    except click.ClickException as error:
        click.echo(f"buyerblock: {_in_one_sentence(error)}", err=True)
    except BuyerblockError as error:
        from worker.cli.output import printable

        click.echo(printable(f"buyerblock: {error}"), err=True)
    except click.Abort:
        return 130
    except BrokenPipeError:
        # The reader has enough (``| head``); Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"buyerblock: Cannot write the answer: {error.strerror}.", err=True)
    else:
        return result if isinstance(result, int) else 0
    return 2


def _in_one_sentence(error: click.ClickException) -> str:
    said = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{said}; see “{context.command_path} --help”." if context else f"{said}."


for _command in (
    *(check, block, unblock, export, audit, import_list, undo_import, scan),
    *(sync, accounts, disconnect, status),
    *(token, webhook, gate, service, backup, restore),
):
    commands.add_command(_command)
