"""The commands for the block list itself: ask it, change it, take it out and in, fill it from mail files."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from worker.cli.as_json import print_json
from worker.cli.database import open_for_command
from worker.errors import UsageError

if TYPE_CHECKING:
    from worker.block_list.block_list import BlockList


@click.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def check(keys: tuple[str, ...], as_json: bool) -> int:
    """Say whether buyers are blocked. Exit code 0: none is, 1: some are, 2: bad input.

    A KEY is a buyer's address at marketplace.amazon..., or an order ID.
    """
    results = _block_list().check(keys)
    if as_json:
        print_json({"results": [result._asdict() for result in results]})
    else:
        for result in results:
            click.echo(
                f"{result.key}  {'blocked (' + result.reason + ')' if result.reason else 'not blocked'}"
            )
    return int(any(result.blocked for result in results))


@click.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--note", default="", help="Why, for yourself.")
def block(keys: tuple[str, ...], note: str) -> int:
    """Put buyers on the block list."""
    refused = False
    for result in _block_list(new=True).block(keys, note=note, by="command line"):
        click.echo(f"{result.key}  {result.problem or result.status}", err=result.status == "rejected")
        refused |= result.status == "rejected"
    return 2 if refused else 0


@click.command()
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


@click.command()
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
    from worker.parsing import moment

    after = moment(since) if since else None
    if since and after is None:
        raise UsageError(
            "{since!r} is no time; write it like 2026-11-23 or 2026-11-23T10:00:00Z.", since=since
        )
    chunks = _block_list().export(name, since=after)
    if output is None or str(output) == "-":
        sys.stdout.buffer.writelines(chunks)
        sys.stdout.buffer.flush()
    elif output.exists() and not output.is_file():
        # /dev/stdout, or a pipe: nothing that could be replaced, and root could.
        with output.open("wb") as file:
            file.writelines(chunks)
    else:
        write_chunks_atomically(output.resolve(), chunks)


@click.command()
def audit() -> None:
    """Print who or what changed which entry of the list, and when: one JSON object a line, oldest first."""
    import orjson

    for event in open_for_command().events():
        sys.stdout.buffer.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--format", "name", default="auto", show_default=True, help="auto, text, csv, tsv, report, json, ..."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
def import_list(file: BinaryIO, name: str, dry_run: bool) -> int:
    """Add a list of buyers or orders: one a line, CSV, or what another tool exported; - reads standard input.

    All or nothing: if any line is no key, nothing is added.
    """
    from worker.cli.output import show_import

    block_list = _block_list(new=True)
    try:
        preview = block_list.preview_import(file, name)
    except OSError as error:
        raise UsageError(
            "Cannot read {name}: {strerror}.", name=file.name, strerror=error.strerror
        ) from error
    show_import(preview)
    if preview.found.rejected_count:
        raise UsageError("Nothing was added; mend or remove the lines above, then import again.")
    if dry_run or not (preview.adds or preview.resolves):
        return 0
    made = block_list.apply_import(preview, source=file.name, by="command line")
    click.echo(
        f"added {made.added:,}, resolved {made.resolved:,} (undo with: buyerblock undo-import {made.id})"
    )
    return 0


@click.command()
@click.argument("import_id")
def undo_import(import_id: str) -> None:
    """Take out what an import added and nothing has confirmed since."""
    click.echo(f"removed {_block_list().undo_import(import_id, by='command line'):,}")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--block", "to_block", is_flag=True, help="Put the buyers who opted out on the block list.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a mail.")
@click.option("--trust", multiple=True, metavar="ADDRESS", help="Accept notices forwarded from this address.")
@click.option(
    "--trust-redirector",
    "redirectors",
    multiple=True,
    metavar="ADDRESS|DOMAIN",
    help="Believe this Google Group or forwarding service, or whoever seals mail (ARC) with this domain, about mail "
    "that it redirects.",
)
@click.option(
    "--authserv-id",
    default="mx.google.com",
    show_default=True,
    help="Name of the server that received the mail, as its Authentication-Results header gives it; outlook.com "
    "for Outlook.com and Microsoft 365, which leave it out.",
)
def scan(
    paths: tuple[Path, ...],
    to_block: bool,
    as_json: bool,
    trust: tuple[str, ...],
    redirectors: tuple[str, ...],
    authserv_id: str,
) -> None:
    """Judge mail files without Gmail: .eml files, folders, Maildir and mbox (Google Takeout)."""
    from worker.cli.output import progress_bar, verdicts
    from worker.mail_files.reading import total_size
    from worker.mail_files.scan import blocking
    from worker.mail_files.scan import scan as scan_files
    from worker.mailbox_pass.progress import Progress

    trusted, redirecting = (frozenset(it.strip().lower() for it in names) for names in (trust, redirectors))
    found = scan_files(paths, trusted=trusted, redirectors=redirecting, authserv_id=authserv_id)
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


def _block_list(*, new: bool = False) -> "BlockList":
    from worker.block_list.block_list import BlockList

    return BlockList(open_for_command(new=new))
