"""Output for people on a terminal and for programs on a pipe."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING

import click
import orjson

from worker.gmail.wanted import INBOX
from worker.mail_files.scan import ScannedMail
from worker.mailbox_pass.progress import Progress, Watch, unwatched
from worker.notices.model import OptOut, Suspect, Unrelated

if TYPE_CHECKING:
    from worker.block_list.formats.model import Preview
    from worker.mailbox_pass.report import Preview as PassPreview

_MAX_REJECTIONS = 100  # as the page does


@contextmanager
def progress_bar(what: str, *, sizes: bool = False) -> Iterator[Watch]:
    """Show a progress bar on a terminal, nothing elsewhere; yield the function that updates it. sizes: count bytes."""
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


def show_scan(found: Iterable[ScannedMail], size: int, *, as_json: bool) -> Counter[str]:
    """Show judged mails while they are read: one JSON line each, or text lines and a summary.

    The text only counts unrelated mails and files that are not named like mail, because most mails of an archive are
    unrelated. size: bytes of all files. Return the counts by ``ScannedMail.word`` or ``passed_over``.
    """
    counts: Counter[str] = Counter()
    suffixes: Counter[str] = Counter()
    done = 0
    with progress_bar("reading", sizes=True) as watch:
        for it in found:
            counts["passed_over" if it.passed_over else it.word] += 1
            if it.passed_over:
                suffixes[PurePath(it.source).suffix or "without a suffix"] += 1
            done = min(size, done + it.size)  # unpacked archives are larger
            watch(Progress(done=done, total=size, found=counts["opt_out"]))
            if as_json:
                click.echo(orjson.dumps(it.as_json()))
            elif it.word != "unrelated" and not it.passed_over:
                _show_mail(it)
    if not as_json:
        _show_summary(counts, suffixes)
    return counts


def _show_mail(it: ScannedMail) -> None:
    fields = it.as_json()
    who = " ".join(filter(None, (fields["address"], fields["order_id"]))) or "-"
    unread = it.word == "not_read"
    line = f"not read {it.source}:" if unread else f"{it.word:8} {who}  {it.source} "
    click.echo(printable(f"{line} {it.reason or ''}".rstrip()), err=unread)


def _show_summary(counts: Counter[str], suffixes: Counter[str]) -> None:
    unread = counts["not_read"] + counts["passed_over"]
    click.echo(
        f"{counts.total() - unread:,} mails: {counts['opt_out']:,} opt-outs, {counts['suspect']:,} to review, "
        f"{counts['unrelated']:,} unrelated" + (f"; files not read: {unread:,}" if unread else "")
    )
    if suffixes:
        which = ", ".join(f"{count:,} {suffix}" for suffix, count in suffixes.most_common(5))
        why = "Not read, because not named like mail:"
        click.echo(printable(f"{why} {which}. Name such a file itself to have it read."), err=True)


def show_preview(email: str, preview: "PassPreview") -> None:
    """Print what a pass would do."""
    for step in preview.steps:
        click.echo(f"{email}: would {step}")
    if preview.missed.archive:
        click.echo(f"{email}: would take {len(preview.missed.archive):,} old mails out of the inbox")
    for judged, change in preview.filings:
        verdict = judged.verdict
        match verdict:
            case OptOut():
                outcome = f"would block {verdict.address or verdict.order_id}"
            case Suspect():
                outcome = f"would ask you: {verdict.reason}"
            case Unrelated():
                outcome = f"would leave alone: {verdict.kind.value}"
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
    for rejection in found.rejected[:_MAX_REJECTIONS]:
        click.echo(printable(f"line {rejection.line}: {rejection.problem}"), err=True)
    if found.rejected_count:
        more = found.rejected_count - _MAX_REJECTIONS
        click.echo(
            (f"And {more:,} more. " if more > 0 else "")
            + "These lines are left out; mend them, and import the file again to add them as well.",
            err=True,
        )


def printable(text: str) -> str:
    """Return a line without control characters: strangers choose names of files and texts of mails."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
