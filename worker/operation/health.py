"""The current problems, in sentences: for the page, ``status``, ``/readyz``, monitors and alerts.

Problems that keep notices from becoming blocks make buyerblock unready; the others are warnings for the owner. A
transient failure becomes a problem when it lasts.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from worker.app import App
from worker.block_list.expiry import Due, due
from worker.block_list.review import ReviewQuery
from worker.errors import DamagedFileError, StorageError
from worker.gate.record import GateRecord
from worker.mailbox_pass.notice_days import have_stopped
from worker.mailbox_pass.unreadable import count_set_aside
from worker.notices.doubts import NEW_WORDS
from worker.notifications import Destinations
from worker.owner.accounts import Account, State
from worker.owner.preferences import read_preferences, sync_interval
from worker.problems import Cause, MailboxProblem
from worker.publish import Copies
from worker.sealing import UnsealError
from worker.sentences import Readable, Sentence, filled
from worker.webhook import Webhook

# A pass is late after three intervals and this time.
GRACE = timedelta(minutes=15)
# Bytes. The daily backup of 100,000 blocks needs three times their 110 MB while it is made.
MIN_FREE = 500_000_000
# How long before a sign-in ends its owner is warned.
WARN_BEFORE = timedelta(days=2)

# Failed notifications in a row. With the waits between them they last more than an hour.
MANY_FAILURES = 7

_SIGN_IN_ENDS = Sentence(
    "Google ends this sign-in on {ends}, as it does while the OAuth client is in status "
    "Testing; press “Publish app” in Google's console, under Audience, then sign in again."
)
_SILENCE = Sentence(
    "No notice has come since {last}, which is unusually long; look whether “Buyer Opt-Out” is still switched on in "
    "Seller Central, under Notification Preferences, Messaging."
)
_NEW_WORDING = Sentence(
    "Mail that may be notices came in words that this version does not know, the last on {last}; it waits "
    "under Review and blocks nobody until you decide. A newer version may know the words."
)
_UNREADABLE = Sentence(
    "Gmail does not hand over {count} of the queued mails. They stay queued, and are "
    "tried again, at the latest after a day; all others are judged."
)
_UNLISTED = Sentence(
    "{count} of the mails that may be notices are in Trash or Spam, where they are not read. Move them to the inbox "
    "in Gmail, or delete them there for good."
)
_EXPIRY = Sentence(
    "{count} of {of} blocks are older than the days under Settings, Expiry, which is too many to end them without "
    "asking; agree there, or leave the number out to keep all of them."
)
_NOT_WRITTEN = Sentence(
    "{count} copies of the list cannot be written; Settings, Copies says why of each. The first: {first}"
)
_LEFT_OUT = Sentence(
    "Records that cannot be read are left out: {which}. All others work, and nothing was deleted; if something is "
    "missing, bring back the last daily copy: buyerblock restore --latest"
)

Kind = Literal[
    "disk",
    "damage",
    "sign_in_again",
    "late",
    "sign_in_ends",
    "advice",
    "silence",
    "new_wording",
    "webhook",
    "notifications",
    "gate",
    "copies",
    "expiry",
    "left_out",
    "unreadable",
    "unlisted",
]
_STOPPING: frozenset[Kind] = frozenset({"disk", "damage", "sign_in_again", "late"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that the owner should know. account: the mailbox, "" for the whole program."""

    kind: Kind
    account: str
    template: str
    fields: Mapping[str, object] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return filled(self.template, self.fields)

    @property
    def key(self) -> str:
        """Identifies the problem while it lasts; its sentence may change."""
        return f"{self.kind}:{self.account}"

    @property
    def stopping(self) -> bool:
        """Whether it keeps notices from becoming blocks."""
        return self.kind in _STOPPING

    def __str__(self) -> str:
        return f"{self.account}: {self.sentence}" if self.account else self.sentence


@dataclass(frozen=True, slots=True)
class Health:
    """All current problems, the stopping ones first."""

    problems: tuple[Problem, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The sentences of the stopping problems."""
        return tuple(str(it) for it in self.problems if it.stopping)

    @property
    def ready(self) -> bool:
        return not self.reasons


def free_bytes(path: Path) -> int:
    """Return the free bytes of the disk that path is on. Raises OSError."""
    return shutil.disk_usage(path).free


def health(app: App, now: datetime, *, free: Callable[[Path], int] = free_bytes) -> Health:
    """Check everything that has to work. Costs one small write to the disk and no call of Gmail."""
    # A host stores nothing on this machine's disk.
    found = [] if app.shared else [_problem("disk", it) for it in _disk(app, free)]
    try:
        # The daily backup checks the whole database. After a failed check this raises too.
        app.database.version()
        found += _accounts(app, now)
        found += [*_checked(app), *_left_out(app)]
    except StorageError as error:
        found.append(_problem("damage" if isinstance(error, DamagedFileError) else "disk", error))
    return Health(tuple(sorted(found, key=lambda it: not it.stopping)))


def _problem(kind: Kind, problem: Readable, account: str = "") -> Problem:
    return Problem(kind, account, problem.template, problem.fields)


def _disk(app: App, free: Callable[[Path], int]) -> Iterator[Readable]:
    folder = app.settings.data_dir
    try:
        _try_to_write(folder)
        left = free(folder)
    except OSError as error:
        why = error.strerror or error
        yield Sentence("Nothing can be written to {folder}: {why}.", folder=folder, why=why)
    else:
        if left < MIN_FREE:
            yield Sentence(
                "The disk is nearly full: {megabytes} MB are left for {folder}.",
                megabytes=round(left / 1e6),
                folder=folder,
            )


def _try_to_write(folder: Path) -> None:
    """Write content too: on a full disk creating a file may succeed, and writing fail."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"can this be written?")
        file.flush()
        os.fsync(file.fileno())


def _accounts(app: App, now: datetime) -> Iterator[Problem]:
    for account in app.accounts.all():
        yield from (
            _problem(kind, problem, account.email) for kind, problem in _of_account(app, account, now)
        )


def _of_account(app: App, account: Account, now: datetime) -> Iterator[tuple[Kind, Readable]]:
    if account.state == "sign_in_again":
        yield "sign_in_again", account.problem or MailboxProblem(Cause.SIGN_IN_NOT_ACCEPTED)
        return
    if late := _lateness(app, account, now):
        yield "late", late
        return
    # The advice of a complete pass.
    if account.state == "problem" and account.problem and account.last_pass == account.last_good_pass:
        yield "advice", account.problem
    if account.sign_in_ends is not None and now > account.sign_in_ends - WARN_BEFORE:
        yield "sign_in_ends", _SIGN_IN_ENDS.about(ends=account.sign_in_ends)
    if have_stopped(account.notice_days, now.date()) and account.silence_heard != account.notice_days[-1]:
        yield "silence", _SILENCE.about(last=account.notice_days[-1])
    if count := count_set_aside(app.database, account.email):
        yield "unreadable", _UNREADABLE.about(count=count)
    if account.unlisted:
        yield "unlisted", _UNLISTED.about(count=account.unlisted)
    for item in app.review.items(ReviewQuery(account=account.email, doubts=NEW_WORDS), limit=1):
        yield "new_wording", _NEW_WORDING.about(last=item.received_at.date())


def status_of(app: App, account: Account, now: datetime) -> tuple[State, Readable | None]:
    """Return an account's state and problem as the page, ``status`` and metrics show them; lateness is a problem."""
    late = None if account.state == "sign_in_again" else _lateness(app, account, now)
    return ("problem", late) if late else (account.state, account.problem)


def _lateness(app: App, account: Account, now: datetime) -> Sentence | None:
    """Return a sentence if an account's passes are late, else None."""
    # Reading years of old mail is one pass of hours; it is late only if it makes no progress.
    good = account.last_good_pass or account.connected_at
    interval = timedelta(seconds=sync_interval(app.settings, app.database))
    if now - max(good, account.progress_at or good) <= 3 * interval + GRACE:
        return None
    since = _since(account)
    return Sentence("{since} {problem}", since=since, problem=account.problem) if account.problem else since


def _since(account: Account) -> Sentence:
    good, moved = account.last_good_pass, account.progress_at
    if moved is not None and (good is None or moved > good):
        return Sentence("The pass has come no further since {moved}.", moved=moved)
    if good is None:
        return Sentence("No pass has come to its end yet.")
    return Sentence("The last good pass began on {good}.", good=good)


def _webhook(app: App) -> Iterator[Readable]:
    hook = Webhook(app.database, app.sealer).get()
    if hook is not None and hook.paused:
        yield Sentence(
            "The webhook failed for a day and is paused; try it again under Settings. {problem}",
            problem=hook.problem,
        )


def _notifications(app: App) -> Iterator[Readable]:
    failing = [it for it in Destinations(app.database, app.sealer).all() if it.failures >= MANY_FAILURES]
    for it in failing[:1]:
        yield Sentence(
            "{name} does not take notifications; try it under Settings, or remove it there. {problem}",
            name=it.name,
            problem=it.problem,
        )


def _gate(app: App) -> Iterator[Readable]:
    if sentence := GateRecord(app.database).read().problem:
        yield Sentence("The gate: {sentence}", sentence=sentence)


def _copies(app: App) -> Iterator[Readable]:
    problems = [it.problem for it in Copies(app.database).all() if it.problem]
    if len(problems) == 1:
        yield problems[0]
    elif problems:
        yield _NOT_WRITTEN.about(count=len(problems), first=problems[0])


def expiring(app: App) -> Due | None:
    """Return which blocks expire now. None if blocks never expire, or if ``due`` cannot know the time."""
    days = read_preferences(app.database).expire_after_days
    return due(app.database, days, {it.email for it in app.accounts.all()}) if days else None


def _expiry(app: App) -> Iterator[Readable]:
    found = expiring(app)
    if found and found.too_many:
        yield _EXPIRY.about(count=found.count, of=found.of)


_CHECKS: dict[Kind, Callable[[App], Iterator[Readable]]] = {
    "webhook": _webhook,
    "notifications": _notifications,
    "gate": _gate,
    "copies": _copies,
    "expiry": _expiry,
}


def _checked(app: App) -> Iterator[Problem]:
    for kind, check in _CHECKS.items():
        try:
            yield from (_problem(kind, it) for it in check(app))
        except UnsealError as error:
            yield _problem(kind, error)


def _left_out(app: App) -> Iterator[Problem]:
    if tables := app.database.set_aside():
        which = tuple(
            Sentence("{count} of the table {table}", count=count, table=table)
            for table, count in tables.items()
        )
        # If an account is left out, its mail is not read.
        yield _problem("damage" if "accounts" in tables else "left_out", _LEFT_OUT.about(which=which))
