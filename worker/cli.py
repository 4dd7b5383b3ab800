"""Commands: parse, call, print. Nothing here decides anything.

Each command imports what it runs when it runs, so that ``--help`` and ``check`` start at once.
"""

import os
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from worker.cli_tokens import token
from worker.cli_webhook import webhook
from worker.errors import BuyerblockError, StoppedError, UsageError
from worker.operation.cli import backup, restore, service
from worker.settings import current_settings, settled_settings

if TYPE_CHECKING:
    from worker.app import App
    from worker.block_list.block_list import BlockList

_NO_ACCOUNT = "No account is connected yet; run “buyerblock serve” and sign in with Google."


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
        from worker.terminal import printable

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


def _app() -> "App":
    from worker.app import build_app

    return build_app(settled_settings())


def _block_list(*, new: bool = False) -> "BlockList":
    """Return the block list. new: where there is no folder yet, make it."""
    from worker.block_list.block_list import BlockList
    from worker.files import make_private_directory

    if not new:
        return BlockList(settled_settings().data_dir)
    directory = current_settings().data_dir
    make_private_directory(directory)
    return BlockList(directory)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        # Stored times are whole seconds, and comparing rounds up: there must be a second after it.
        moment + timedelta(seconds=1)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time; write it like 2026-11-23 or 2026-11-23T10:00:00Z.") from None
    return moment


def _print_json(value: Any) -> None:
    import orjson

    # As bytes: JSON is UTF-8, whatever the terminal takes.
    click.echo(orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS))


# --- the block list


@commands.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def check(keys: tuple[str, ...], as_json: bool) -> int:
    """Say whether buyers are blocked. Exit code 0: none is, 1: some are, 2: bad input.

    A KEY is a buyer's address at marketplace.amazon..., or an order ID.
    """
    results = _block_list().check(keys)
    if as_json:
        _print_json({"results": [asdict(result) for result in results]})
    else:
        for result in results:
            click.echo(
                f"{result.key}  {'blocked (' + result.reason + ')' if result.reason else 'not blocked'}"
            )
    return int(any(result.blocked for result in results))


@commands.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--note", default="", help="Why, for yourself.")
def block(keys: tuple[str, ...], note: str) -> int:
    """Put buyers on the block list."""
    refused = False
    for result in _block_list(new=True).block(keys, note=note, by="command line"):
        click.echo(f"{result.key}  {result.problem or result.status}", err=result.status == "rejected")
        refused |= result.status == "rejected"
    return 2 if refused else 0


@commands.command()
@click.argument("keys", nargs=-1, required=True)
def unblock(keys: tuple[str, ...]) -> None:
    """Take buyers off the block list. It is remembered: only a later notice blocks them again."""
    from worker.block_list.keys import parse_key

    for key in keys:
        parse_key(key)  # all or nothing: a mistyped key must not leave half of them unblocked
    block_list = _block_list()
    for key in keys:
        click.echo(
            f"{key}  {'unblocked' if block_list.unblock(key, by='command line') else 'was not blocked'}"
        )


@commands.command()
@click.option(
    "--format", "name", default="json", show_default=True, help="json, ndjson, csv, txt, orders, mailgun, ..."
)
@click.option(
    "--since", metavar="TIME", help="Only blocks seen since then, such as 2026-11-23 or 2026-11-23T10:00:00Z."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, whole or not at all; - is standard output.",
)
def export(name: str, since: str | None, output: Path | None) -> None:
    """Print the block list, or write it to a file."""
    from worker.files import write_chunks_atomically

    moment = _moment(since) if since else None
    chunks = _block_list().export(name, since=moment)
    if output is None or str(output) == "-":
        sys.stdout.buffer.writelines(chunks)
        sys.stdout.buffer.flush()
    elif output.exists() and not output.is_file():
        # /dev/stdout, or a pipe: nothing that could be replaced, and root could.
        with output.open("wb") as file:
            file.writelines(chunks)
    else:
        write_chunks_atomically(output.resolve(), chunks)


@commands.command()
def audit() -> None:
    """Print who or what changed which entry of the list, and when: one JSON object a line, oldest first."""
    for chunk in _block_list().audit():
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


@commands.command("import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--format", "name", default="auto", show_default=True, help="auto, text, csv, tsv, report, json, ..."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
def import_list(file: BinaryIO, name: str, dry_run: bool) -> int:
    """Add a list of buyers or orders: one a line, CSV, or what another tool exported; - reads standard input.

    All or nothing: if any line is no key, nothing is added.
    """
    from worker.terminal import show_import

    block_list = _block_list(new=True)
    try:
        preview = block_list.preview_import(file, name)
    except OSError as error:
        raise UsageError(f"Cannot read {file.name}: {error.strerror}.") from error
    show_import(preview)
    if preview.rejected_count:
        raise UsageError("Nothing was added; mend or remove the lines above, then import again.")
    if dry_run or not (preview.adds or preview.resolves):
        return 0
    made = block_list.apply_import(preview, source=file.name, by="command line")
    click.echo(
        f"added {made.added:,}, resolved {made.resolved:,} (undo with: buyerblock undo-import {made.id})"
    )
    return 0


@commands.command()
@click.argument("import_id")
def undo_import(import_id: str) -> None:
    """Take out what an import added and nothing has confirmed since."""
    click.echo(f"removed {_block_list().undo_import(import_id, by='command line'):,}")


@commands.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--block", "to_block", is_flag=True, help="Put the buyers who opted out on the block list.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a mail.")
@click.option("--trust", multiple=True, metavar="ADDRESS", help="Accept notices forwarded from this address.")
@click.option(
    "--authserv-id",
    default="mx.google.com",
    show_default=True,
    help="Name of the server that received the mail, as its Authentication-Results header gives it; outlook.com "
    "for Outlook.com and Microsoft 365, which leave it out.",
)
def scan(
    paths: tuple[Path, ...], to_block: bool, as_json: bool, trust: tuple[str, ...], authserv_id: str
) -> None:
    """Judge mail files without Gmail: .eml files, folders, Maildir and mbox (Google Takeout)."""
    from worker.mail_files import total_size
    from worker.progress import Progress
    from worker.scan import blocking
    from worker.scan import scan as scan_files
    from worker.terminal import progress_bar, verdicts

    trusted = frozenset(address.strip().lower() for address in trust)
    found = scan_files(paths, trusted=trusted, authserv_id=authserv_id)
    if to_block:
        found = blocking(found, _block_list(new=True), now=datetime.now(UTC))
    with progress_bar("reading", sizes=True) as watch:
        size, done, opt_outs = sum(map(total_size, paths)), 0, 0
        with verdicts(as_json=as_json) as show:
            for it in found:
                done += it.size
                opt_outs += it.word == "opt_out"
                watch(Progress(done=done, total=size, found=opt_outs))
                show(it)


# --- accounts


@commands.command()
@click.option("--account", help="Only this account.")
@click.option(
    "--existing", is_flag=True, help="Apply to existing mail: search the whole mailbox for old notices."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def sync(account: str | None, existing: bool, dry_run: bool) -> int:
    """Run one pass over every connected account now."""
    from worker.terminal import progress_bar, show_preview

    app = _app()
    chosen = [app.accounts.get(account)] if account else app.accounts.all()
    if not chosen:
        raise UsageError(_NO_ACCOUNT)
    failed = False
    with closing(app.passes):
        for it in chosen:
            try:
                with progress_bar(it.email) as watch:
                    if dry_run:
                        show_preview(it.email, app.passes.preview(it.email, watch, existing=existing))
                    else:
                        click.echo(f"{it.email}: {app.passes.run(it.email, watch, existing=existing)}")
            except StoppedError:
                return 130
            except BuyerblockError as error:
                click.echo(f"{it.email}: {error}", err=True)
                failed = True
    return 2 if failed else 0


@commands.command()
def accounts() -> None:
    """List the connected accounts and their addresses for notices."""
    known = _app().accounts.all()
    if not known:
        click.echo(_NO_ACCOUNT, err=True)
    for account in known:
        click.echo(f"{account.email}  {account.state}  notices and forwards to: {account.personal_address}")


@commands.command()
@click.argument("account")
@click.option("--undo", is_flag=True, help="Also remove our filters and labels from the mailbox.")
@click.option(
    "--days-back",
    type=click.IntRange(0),
    default=0,
    help="With --undo: put the notices of so many days back.",
)
def disconnect(account: str, undo: bool, days_back: int) -> None:
    """Take the permission back at Google and forget the account. Its blocks stay."""
    if days_back and not undo:
        raise UsageError("--days-back goes with --undo.")
    app = _app()
    with closing(app.passes):
        app.disconnect(account, undo=undo, days_back=days_back)
    click.echo(f"{account} is disconnected.")


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(as_json: bool) -> int:
    """Show accounts, passes, queue and the size of the list. Exit code 0: all is well, 1: something needs you."""
    from worker.operation.health import health

    app = _app()
    shown = ("email", "state", "problem", "last_pass", "next_pass", "queued")
    rows = [{name: getattr(account, name) for name in shown} for account in app.accounts.all()]
    problems = health(app, app.clock.now()).problems
    if as_json:
        _print_json(
            {
                "blocks": len(app.block_list),
                "review": len(app.review.items()),
                "accounts": rows,
                "problems": list(map(str, problems)),
            }
        )
    else:
        click.echo(
            f"{len(app.block_list):,} buyers on the block list, {len(app.review.items()):,} mails to review"
        )
        for row in rows:
            when = f"{row['last_pass']:%Y-%m-%d %H:%M} UTC" if row["last_pass"] else "never"
            click.echo(f"{row['email']}  {row['state']}  last pass {when}  {row['queued']:,} queued")
            if row["problem"] and not any(row["problem"] in it.sentence for it in problems):
                click.echo(f"  {row['problem']}")
        for problem in problems:
            click.echo(problem)
        if not rows:
            click.echo(_NO_ACCOUNT)
    return int(bool(problems) or any(row["state"] != "ok" for row in rows))


for _command in (token, webhook, service, backup, restore):
    commands.add_command(_command)
