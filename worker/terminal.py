"""What people see on a terminal, and programs on a pipe."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import orjson

from worker.progress import Watch, unwatched
from worker.scan import Judged


@contextmanager
def progress_bar(what: str, *, sizes: bool = False) -> Iterator[Watch]:
    """Show a bar on a terminal, nothing elsewhere; yields the function to tell (done, total), in bytes if sizes."""
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
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def verdicts(*, as_json: bool) -> Iterator[Callable[[Judged], None]]:
    """Yield the function that shows a judged mail: a JSON line, or a line to read; then a summary.

    To read, unrelated mail is only counted: an archive is mostly that.
    """
    counts: Counter[str] = Counter()

    def show(judged: Judged) -> None:
        counts[judged.word] += 1
        if as_json:
            click.echo(orjson.dumps(judged.as_json()))
        elif judged.word != "unrelated":
            line = judged.as_json()
            who = " ".join(filter(None, (line["address"], line["order_id"]))) or "-"
            click.echo(_printable(f"{judged.word:8} {who}  {judged.source}  {judged.reason or ''}".rstrip()))

    yield show
    if not as_json:
        click.echo(
            f"{counts.total():,} mails: {counts['opt_out']:,} opt-outs, {counts['suspect']:,} to review, "
            f"{counts['unrelated']:,} unrelated"
        )


def _printable(text: str) -> str:
    # Files and mails are named by strangers; a control character could steer the terminal.
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
