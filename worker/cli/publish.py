"""The commands for files that are rewritten after every change of the list."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.cli.as_json import print_json
from worker.cli.database import open_for_command
from worker.cli.filters import export_options
from worker.errors import UsageError
from worker.settings import current_settings

if TYPE_CHECKING:
    from worker.publish import Copies


@click.group()
def publish() -> None:
    """Keep copies of the list in files.

    They are rewritten within seconds after a change, while “buyerblock serve” runs.
    """


@publish.command()
@export_options("csv")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="The file. What it holds is replaced; it keeps its permissions.",
)
def add(name: str, output: Path, bom: bool, **filters: str | None) -> None:
    """Write the list to a file now, and again after each change.

    For that, “buyerblock serve” has to run.
    """
    from worker.block_list.block_list import BlockList
    from worker.block_list.formats.exports import with_mark
    from worker.publish import Copies, Copy, add_copy, copy_path

    database = open_for_command()
    copy = Copy(
        path=copy_path(output, current_settings().data_dir),
        format=with_mark(name) if bom else name,
        filters={name: value for name, value in filters.items() if value},
    )
    written = add_copy(Copies(database), BlockList(database), copy, now=datetime.now(UTC))
    click.echo(f"{written.path}  {written.format}, {written.blocks:,} blocked")
    click.echo("It is rewritten after every change while “buyerblock serve” runs.", err=True)


@publish.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the copies as JSON.")
def list_copies(as_json: bool) -> None:
    """List the copies, when each was last written, and what is wrong."""
    from worker.database import format_time

    known = _copies().all()
    if as_json:
        print_json(
            {
                "copies": [
                    {
                        "path": it.path,
                        "format": it.format,
                        "filters": dict(it.filters),
                        "written_at": it.written_at and format_time(it.written_at),
                        "blocks": it.blocks,
                        "problem": str(it.problem) if it.problem else None,
                    }
                    for it in known
                ]
            }
        )
        return
    if not known:
        click.echo("There is no copy yet; make one with “buyerblock publish add --output PATH”.", err=True)
    for it in known:
        only = "".join(f", {name} {value}" for name, value in sorted(it.filters.items()))
        when = f"written {it.written_at:%Y-%m-%d %H:%M} UTC" if it.written_at else "not written yet"
        click.echo(f"{it.path}  {it.format}{only}, {it.blocks:,} blocked, {when}")
        if it.problem:
            click.echo(f"  {it.problem}")


@publish.command()
@click.argument("path", type=click.Path(path_type=Path))
def remove(path: Path) -> None:
    """Stop writing a copy; the file stays as it is."""
    copies, place = _copies(), str(path.expanduser().resolve())
    if not copies.remove(str(path)) and not copies.remove(place):
        raise UsageError(
            "There is no copy at {path}; “buyerblock publish list” shows those there are.", path=place
        )
    click.echo(f"{place} is written no more. The file is still there.")


def _copies() -> "Copies":
    from worker.publish import Copies

    return Copies(open_for_command())
