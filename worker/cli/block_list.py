"""The commands for the block list: check, change, export, import, and scan mail files."""

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from worker.cli.as_json import print_json
from worker.cli.database import open_for_command
from worker.cli.filters import IMPORT_AND_EXPORT, export_options
from worker.errors import UsageError
from worker.parsing import ADDRESS, ADDRESS_OR_DOMAIN

if TYPE_CHECKING:
    from worker.block_list.block_list import BlockList

IMPORTS = ("auto", "text", "csv", "tsv", "report", "json", "ndjson", *IMPORT_AND_EXPORT)

_HOST_NAME = re.compile(r"[a-z0-9](?:[\w.-]*[a-z0-9])?")


def _matching(pattern: re.Pattern[str], problem: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return an option's callback that rejects values not matching the pattern. problem: the end of the error text."""

    def check(_: click.Context, __: click.Parameter, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(given, tuple):
            return tuple(str(check(_, __, value)) for value in given)
        found = given.strip().lower()
        if not pattern.fullmatch(found):
            raise click.BadParameter(f"{given!r} is {problem}")
        return found

    return check


@click.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def check(keys: tuple[str, ...], as_json: bool) -> int:
    """Say whether buyers are blocked.

    Exit code 0: none is, 1: some are, 2: bad input, or no answer.

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
    """Put buyers on the block list.

    A KEY is a buyer's address at marketplace.amazon..., or an order ID.
    """
    rejected = False
    for result in _block_list(new=True).block(keys, note=note, by="command line"):
        click.echo(f"{result.key}  {result.problem or result.status}", err=result.status == "rejected")
        rejected |= result.status == "rejected"
    return 2 if rejected else 0


@click.command()
@click.argument("keys", nargs=-1, required=True)
def unblock(keys: tuple[str, ...]) -> None:
    """Take buyers off the block list.

    It is remembered: only a later notice, or a person, blocks them again. If a KEY is mistyped, nobody is unblocked.
    """
    from worker.block_list.keys import parse_key

    for key in keys:
        parse_key(key)  # all or nothing: a mistyped key must not leave some buyers unblocked
    block_list = _block_list()
    for key in keys:
        click.echo(
            f"{key}  {'unblocked' if block_list.unblock(key, by='command line') else 'was not blocked'}"
        )


@click.command()
@export_options("json")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, whole or not at all; - is standard output.",
)
def export(name: str, bom: bool, output: Path | None, **filters: str | None) -> None:
    """Print the block list, or write it to a file."""
    from worker.block_list.formats.exports import with_mark
    from worker.block_list.listing import query_of
    from worker.files import write_chunks_atomically

    if bom:
        name = with_mark(name)
    chunks = _block_list().export(name, query=query_of(filters))
    if output is None or str(output) == "-":
        sys.stdout.buffer.writelines(chunks)
        sys.stdout.buffer.flush()
    elif output.exists() and not output.is_file():
        # /dev/stdout or a pipe must not be replaced by a file, which root could do.
        with output.open("wb") as file:
            file.writelines(chunks)
    else:
        write_chunks_atomically(output.resolve(), chunks)


@click.command()
def audit() -> None:
    """Print who changed which entry of the list, and when.

    One JSON object a line, oldest first.
    """
    import orjson

    for event in open_for_command().events():
        sys.stdout.buffer.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--format",
    "name",
    type=click.Choice(IMPORTS),
    default="auto",
    show_default=True,
    metavar="FORMAT",
    help=f"{', '.join(IMPORTS)}. A report is one of Amazon's order reports: it only says whose the orders are.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
def import_list(file: BinaryIO, name: str, dry_run: bool) -> int:
    """Add a list of buyers or orders.

    FILE has one a line, or is a CSV, or what another tool exported; - reads standard input.

    Lines that hold neither are left out and named. Exit code 0: all lines are taken, 1: some are left out, 2: nothing
    could be added.
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
    found = preview.found
    if found.rejected_count and not (found.keys or found.pairs):
        raise UsageError("No line of it holds a buyer or an order, so nothing was added.")
    if not dry_run and (preview.adds or preview.resolves):
        applied = block_list.apply_import(preview, source=file.name, by="command line")
        click.echo(
            f"added {applied.added:,}, resolved {applied.resolved:,} (undo with: buyerblock undo-import {applied.id})"
        )
    return int(found.rejected_count > 0)


@click.command()
@click.argument("import_id")
def undo_import(import_id: str) -> None:
    """Take out what an import added.

    IMPORT_ID is the number that the import printed. Buyers whom a notice or a person has blocked since stay blocked.
    """
    click.echo(f"removed {_block_list().undo_import(import_id, by='command line'):,}")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--block", "to_block", is_flag=True, help="Put the buyers who opted out on the block list.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a mail, or file that is not read."
)
@click.option(
    "--trust",
    callback=_matching(ADDRESS, "no mail address, such as seller@example.com"),
    multiple=True,
    metavar="ADDRESS",
    help="Accept notices forwarded from this address.",
)
@click.option(
    "--trust-redirector",
    "redirectors",
    callback=_matching(ADDRESS_OR_DOMAIN, "neither a mail address nor a domain, such as example.com"),
    multiple=True,
    metavar="ADDRESS|DOMAIN",
    help="Believe this Google Group or forwarding service, or whoever seals mail (ARC) with this domain, about mail "
    "that it redirects.",
)
@click.option(
    "--authserv-id",
    callback=_matching(_HOST_NAME, "no name of a server, such as mx.google.com"),
    default="mx.google.com",
    show_default=True,
    metavar="NAME",
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
) -> int:
    """Judge mail files without Gmail.

    Each of PATHS is a mail (.eml, .msg), an mbox (Google Takeout), a .zip or .gz of them, a Maildir or another folder.

    Exit code 0: all is read, 2: a file is not. Inside folders and archives, files that are not named like mail are only
    counted.
    """
    from worker.cli.output import show_scan
    from worker.mail_files.reading import total_size
    from worker.mail_files.scan import blocking
    from worker.mail_files.scan import scan as scan_files

    found = scan_files(
        paths, trusted=frozenset(trust), redirectors=frozenset(redirectors), authserv_id=authserv_id
    )
    if to_block:
        found = blocking(found, _block_list(new=True), now=datetime.now(UTC))
    counts = show_scan(found, sum(map(total_size, paths)), as_json=as_json)
    return 2 if counts["not_read"] or set(counts) == {"passed_over"} else 0


def _block_list(*, new: bool = False) -> "BlockList":
    from worker.block_list.block_list import BlockList

    return BlockList(open_for_command(new=new))
