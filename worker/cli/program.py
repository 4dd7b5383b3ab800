"""The program's commands together, and how their errors are shown."""

import errno
import os
import sys
from io import TextIOWrapper
from typing import Any

import click

from worker.cli.accounts import accounts, disconnect, status, sync
from worker.cli.block_list import audit, block, check, export, import_list, scan, unblock, undo_import
from worker.cli.gate import gate
from worker.cli.host import host
from worker.cli.operation import backup, restore, service
from worker.cli.publish import publish
from worker.cli.tokens import token
from worker.cli.webhook import webhook
from worker.errors import BuyerblockError

_READER_GONE = 141  # as shells name a program that SIGPIPE ended


class _Program(click.Group):
    """Where the reader of the answer has gone (``| head``), click would end with 1: of ``check`` that means blocked."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that the command line names."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _discard_output()
            ctx.exit(_READER_GONE)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="buyerblock")
def commands() -> None:
    """Keep a block list of Amazon buyers who opted out of messages, straight from Gmail."""


def run(group: click.Group) -> int:
    """Run the command line and return its exit code; every error is one sentence on standard error."""
    _open_standard_streams()
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
    except OSError as error:
        _discard_output()
        why = "standard output is closed" if error.errno == errno.EBADF else error.strerror
        click.echo(f"buyerblock: Cannot write the answer: {why}.", err=True)
    else:
        return result if isinstance(result, int) else 0
    return 2


def _open_standard_streams() -> None:
    """Put files in place of streams that are closed (``>&-``), or that pythonw lacks: to use one is then an OSError.

    Else the database could get the number of a standard stream.
    """
    sys.stdin = sys.stdin or os.fdopen(os.open(os.devnull, os.O_WRONLY), "r")
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _discard_output() -> None:
    """Let go what could not be written; Python would complain of it once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _in_one_sentence(error: click.ClickException) -> str:
    said = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    if context is None:
        return f"{said}."
    see = " See" if said.endswith("?") else "; see"
    return f"{said}{see} “{context.command_path} --help”."


for _command in (
    *(check, block, unblock, export, audit, import_list, undo_import, scan),
    *(sync, accounts, disconnect, status),
    *(publish, token, webhook, gate, host, service, backup, restore),
):
    commands.add_command(_command)
