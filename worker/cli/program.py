"""All commands of the program, and the output of their errors."""

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

_BROKEN_PIPE = 141  # the exit code of shells for a program that SIGPIPE ended


class _Program(click.Group):
    """After a broken pipe (``| head``) click would exit with 1, which means “blocked” for ``check``."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _discard_output()
            ctx.exit(_BROKEN_PIPE)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="buyerblock")
def commands() -> None:
    """Keep a block list of Amazon buyers who opted out of messages, straight from Gmail."""


def run(group: click.Group) -> int:
    """Run the command line and return its exit code. Every error is one sentence on standard error."""
    _open_standard_streams()
    if isinstance(sys.stdout, TextIOWrapper):
        # The encoding of a pipe on Windows lacks many characters; the name of a file must not end the scan.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        result = group.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
    except click.ClickException as error:
        click.echo(f"buyerblock: {_one_sentence(error)}", err=True)
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
    """Replace closed streams (``>&-``), or those missing under pythonw, by files whose use raises an OSError.

    Otherwise the database could get the file descriptor of a standard stream.
    """
    sys.stdin = sys.stdin or os.fdopen(os.open(os.devnull, os.O_WRONLY), "r")
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _discard_output() -> None:
    """Drop unwritten output, else Python would report the error again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_sentence(error: click.ClickException) -> str:
    message = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    if context is None:
        return f"{message}."
    hint = " See" if message.endswith("?") else "; see"
    return f"{message}{hint} “{context.command_path} --help”."


for _command in (
    *(check, block, unblock, export, audit, import_list, undo_import, scan),
    *(sync, accounts, disconnect, status),
    *(publish, token, webhook, gate, host, service, backup, restore),
):
    commands.add_command(_command)
