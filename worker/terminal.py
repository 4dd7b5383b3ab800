"""What people see on a terminal while they wait."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from worker.sync import Watch, unwatched


@contextmanager
def progress_bar(what: str) -> Iterator[Watch]:
    """Show a bar on a terminal, nothing elsewhere; yields the function to tell (done, total)."""
    if not sys.stderr.isatty():
        yield unwatched
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
