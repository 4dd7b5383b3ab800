"""What people see on a terminal, and programs on a pipe."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import orjson

from worker.gmail.wanted import INBOX
from worker.mail_files.scan import ScannedMail
from worker.mailbox_pass.progress import Watch, unwatched
from worker.notices.model import OptOut, Suspect, Unrelated

if TYPE_CHECKING:
    from worker.block_list.formats.model import Preview
    from worker.mailbox_pass.report import Preview as PassPreview


@contextmanager
def progress_bar(what: str, *, sizes: bool = False) -> Iterator[Watch]:
    """Show a bar on a terminal, nothing elsewhere; yields the function that updates it. sizes: it counts bytes."""
    if not sys.stderr.isatty():
        yield unwatched
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    amount = DownloadColumn() if sizes else MofNCompleteColumn()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        amount,
        TextColumn("{task.fields[found]} found"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None, found=0)
        yield lambda it: progress.update(task, completed=it.done, total=it.total, found=it.found)


@contextmanager
def verdicts(*, as_json: bool) -> Iterator[Callable[[ScannedMail], None]]:
    """Yield the function that shows a judged mail: a JSON line, or a line to read; then a summary.

    To read, unrelated mail is only counted: an archive is mostly that.
    """
    counts: Counter[str] = Counter()

    def show(judged: ScannedMail) -> None:
        counts[judged.word] += 1
        if as_json:
            click.echo(orjson.dumps(judged.as_json()))
        elif judged.word != "unrelated":
            line = judged.as_json()
            who = " ".join(filter(None, (line["address"], line["order_id"]))) or "-"
            click.echo(printable(f"{judged.word:8} {who}  {judged.source}  {judged.reason or ''}".rstrip()))

    yield show
    if not as_json:
        click.echo(
            f"{counts.total():,} mails: {counts['opt_out']:,} opt-outs, {counts['suspect']:,} to review, "
            f"{counts['unrelated']:,} unrelated"
        )


def show_preview(email: str, preview: "PassPreview") -> None:
    """Print what a pass would do."""
    for step in preview.steps:
        click.echo(f"{email}: would {step}")
    if preview.missed.archive:
        click.echo(f"{email}: would take {len(preview.missed.archive):,} old mails out of the inbox")
    for judged, change in preview.filings:
        said = judged.verdict
        match said:
            case OptOut():
                outcome = f"would block {said.address or said.order_id}"
            case Suspect():
                outcome = f"would ask you: {said.reason}"
            case Unrelated():
                outcome = f"would leave alone: {said.kind.value}"
        moved = " and put back into the inbox" if INBOX in change.add else ""
        click.echo(printable(f"{email}: {outcome}{moved}  ({judged.message.received_at:%Y-%m-%d})"))


def show_import(preview: "Preview") -> None:
    """Print what an import would do; rejected lines go to standard error."""
    found = preview.found
    click.echo(
        f"{found.format}: {len(preview.adds):,} new, {len(preview.known):,} known, {found.duplicates:,} twice in "
        f"the file, {len(preview.resolves):,} orders resolved, {found.rejected_count:,} rejected"
    )
    if preview.unblocked:
        click.echo(f"{len(preview.unblocked):,} stay unblocked, because a person unblocked them")
    for rejection in found.rejected:
        click.echo(printable(f"line {rejection.line}: {rejection.problem}"), err=True)


def printable(text: str) -> str:
    """Return a line without what could steer the terminal: files and mails are named by strangers."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
