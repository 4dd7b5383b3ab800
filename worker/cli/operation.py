"""The commands ``service``, ``backup`` and ``restore``."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.cli.secret_file import first_line
from worker.clock import SystemClock
from worker.errors import UsageError
from worker.settings import current_settings

if TYPE_CHECKING:
    from worker.operation.service import System
    from worker.operation.service_files import Service

# -P: Python does not import modules from the current folder.
_SERVE = (sys.executable, "-P", "-m", "oauth_web", "serve", "--no-open")


@click.group()
def service() -> None:
    """Have the system start buyerblock and keep it running."""


@service.command("install")
@click.option("--print", "only_print", is_flag=True, help="Only show the file that would be written.")
def install_service(only_print: bool) -> None:
    """Start buyerblock now and whenever you log in.

    The service takes over the settings (BUYERBLOCK_...) of this terminal.
    """
    from worker.operation.service import describe, install, run_program

    system, definition = _service()
    if only_print:
        click.echo(describe(system, definition, os.environ))
        return
    advice = install(system, definition, os.environ, run_program, SystemClock())
    click.echo("buyerblock runs as a service; “buyerblock service status” shows how it does.")
    for sentence in advice:
        click.echo(sentence, err=True)


@service.command("uninstall")
def uninstall_service() -> None:
    """Stop the service and remove it. The block list and the accounts stay."""
    from worker.operation.service import run_program, uninstall

    system, definition = _service()
    if not uninstall(system, definition, os.environ, run_program, SystemClock()):
        raise UsageError("The service is not installed.")
    click.echo("The service is removed; the block list and the accounts are still there.")


@service.command("status")
def service_status() -> int:
    """Show whether the service runs and its page answers.

    Exit code 0: it does, 1: it does not.
    """
    from worker.operation.service import page_answers, run_program, status

    system, definition = _service()
    url = current_settings().own_url
    answer = status(system, definition, os.environ, run_program, url, page_answers)
    click.echo(answer.words)
    return int(answer.code != 0)


def with_passphrase(command: Any) -> Any:
    file = click.option(
        "--passphrase-file",
        type=click.File("rb"),
        help="Encrypted with the passphrase in the first line of this file; - is standard input.",
    )
    ask = click.option("--ask-passphrase", is_flag=True, help="Encrypted with a passphrase that you type.")
    return file(ask(command))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_passphrase
def backup(file: Path, passphrase_file: Any, ask_passphrase: bool) -> None:
    """Write everything worth keeping into one file.

    buyerblock may run meanwhile. Without a passphrase the key to the mailboxes is left out.
    """
    from worker.operation.backup import backup as write_backup

    passphrase = passphrase_of(passphrase_file, ask=ask_passphrase, twice=True)
    write_backup(current_settings().data_dir, file, passphrase)
    if passphrase is None:
        click.echo(
            f"{file} is written, without the key to your mailboxes: on another computer each account signs in again. "
            "With a passphrase the key is in it as well."
        )
    else:
        click.echo(
            f"{file} is written and encrypted; without the passphrase nobody can restore it, not even you."
        )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
@click.option("--latest", is_flag=True, help="Restore the newest of the daily copies.")
@with_passphrase
def restore(file: Path | None, latest: bool, passphrase_file: Any, ask_passphrase: bool) -> None:
    """Bring back a backup, or a daily copy by --latest.

    It takes the place of what is there, which is kept beside it. Stop buyerblock first.
    """
    from worker.operation.restore import latest_copy
    from worker.operation.restore import restore as run_restore

    if (file is None) is not latest:
        raise UsageError("Name a backup file, or ask for the newest daily copy by --latest, not both.")
    data_dir = current_settings().data_dir
    passphrase = passphrase_of(passphrase_file, ask=ask_passphrase, twice=False)
    done = run_restore(file or latest_copy(data_dir), data_dir, passphrase)
    click.echo(
        f"Restored as of {done.created_at:%Y-%m-%d %H:%M} UTC: {done.blocks:,} blocks, {len(done.accounts)} accounts. "
        f"What was there before is kept in {done.replaced}."
    )
    if done.accounts and not done.with_key:
        click.echo(
            "If an account asks for it, sign in again: the key to the mailboxes is not in this backup."
        )


def passphrase_of(given: Any, *, ask: bool, twice: bool) -> str | None:
    if given is not None:
        return first_line(given, what="passphrase")
    if ask:
        if not sys.stdin.isatty():
            raise UsageError(
                "There is no terminal to type a passphrase at; write it into a file and name that by --passphrase-file."
            )
        return str(click.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True))
    return None


def _service() -> "tuple[System, Service]":
    from worker.operation.service import make_service, system_of

    found, system = current_settings(), system_of()
    command = _SERVE if system.keeps_log else (*_SERVE, "--log-file")
    return system, make_service(command, found.data_dir, found.client_secrets, os.environ)
