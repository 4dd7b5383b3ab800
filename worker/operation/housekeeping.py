"""Periodic tasks of the server beside passes: webhook, notifications, alerts, backups, copies, expiry, watchdog."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from worker.app import App
from worker.block_list.expiry import expire
from worker.errors import BuyerblockError
from worker.events import fields
from worker.notifications import Destinations, Queue, notify_due
from worker.notifications.summary import summarise_week
from worker.operation.alerts import Alerts
from worker.operation.backup import rotate
from worker.operation.health import expiring, health
from worker.operation.systemd import ALIVE, notify, watchdog_interval
from worker.owner.accounts import Account
from worker.publish import Follower
from worker.webhook import Announcements, Webhook, deliver_due
from worker.webhook.sending import send

log = logging.getLogger(__name__)

WEBHOOK_EVERY = timedelta(seconds=5)
NOTIFY_EVERY = timedelta(seconds=15)
COPIES_EVERY = timedelta(seconds=2)
LOOK_EVERY = timedelta(minutes=1)
SUMMARY_EVERY = timedelta(minutes=20)
COPY_EVERY = timedelta(hours=1)  # makes one copy a day; a laptop may sleep at any fixed hour
EXPIRE_EVERY = timedelta(hours=1)
# Longer than any slow pass and any wait for Google. After this delay systemd restarts the program.
MAX_PASS_DELAY = timedelta(minutes=15)


class Chores:
    """A seller's tasks beside passes, at home and on a host. Raises StorageError; the next run tries again."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._announcements = Announcements(app.database)
        self._queue = Queue(app.database)
        self._alerts = Alerts(app.database, self._announcements, self._queue)

    def deliver(self) -> None:
        """Send what is due to the webhook."""
        app = self._app
        webhook = Webhook(app.database, app.sealer)
        post = partial(send, internet_only=app.shared)
        deliver_due(webhook, app.block_list, self._announcements, now=app.clock.now, send=post)

    def notify(self) -> None:
        """Send the notifications that are due."""
        destinations = Destinations(self._app.database, self._app.sealer)
        notify_due(self._app, destinations, self._queue)

    def report(self) -> None:
        """Check the health and report new problems to the owner."""
        now = self._app.clock.now()
        self._alerts.look(health(self._app, now).problems, now)

    def summarise(self) -> None:
        """Write the weekly summary, if it is due."""
        now = self._app.clock.now().astimezone()

        def problems() -> list[str]:
            return [str(it) for it in health(self._app, now).problems]

        summarise_week(self._app, self._queue, problems, now=now)

    def expire(self) -> None:
        """End the blocks that are older than the owner's setting."""
        found = expiring(self._app)
        if found and found.count and not found.too_many:
            expire(self._app.database, found, by="expiry", at=self._app.clock.now())
            log.info("Blocks expired.", extra=fields(blocks=found.count, days=found.days))


def schedule_housekeeping(app: App) -> None:
    """Add these tasks to the scheduler."""
    chores = Chores(app)

    def add(every: timedelta, name: str, work: Callable[[], object]) -> None:
        app.scheduler.every(every, name, logging_errors(name, work))

    add(WEBHOOK_EVERY, "webhook", chores.deliver)
    add(NOTIFY_EVERY, "notifications", chores.notify)
    add(SUMMARY_EVERY, "summary", chores.summarise)
    add(LOOK_EVERY, "problems", chores.report)
    add(
        COPIES_EVERY,
        "published",
        Follower(app.database, now=app.clock.now, monotonic=app.clock.monotonic).look,
    )
    add(COPY_EVERY, "copy", lambda: _copy(app))
    add(EXPIRE_EVERY, "expire", chores.expire)
    if (seconds := watchdog_interval()) is not None:
        add(timedelta(seconds=seconds), "watchdog", Watchdog(app).feed)


class Watchdog:
    """Notifies systemd that the program is alive while the passes of every account make progress."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._progress: dict[
            str, tuple[int, float]
        ] = {}  # quota units spent, and the time of the last change

    def feed(self) -> bool:
        """Notify systemd if all passes make progress; return whether they do."""
        if progress := all(map(self._makes_progress, self._app.accounts.all())):
            notify(ALIVE)
        return progress

    def _makes_progress(self, account: Account) -> bool:
        """Return whether passes start in time, or spend quota: long passes do, and passes without a network."""
        app, now = self._app, self._app.clock.monotonic()
        spent = app.passes.spent(account.email)
        if self._progress.get(account.email, (-1, 0.0))[0] != spent:
            self._progress[account.email] = (spent, now)
        return (
            account.next_pass is None
            # It waits for the threads of other accounts, which are checked too.
            or app.scheduler.waits_for_thread(account.email)
            or app.clock.now() - account.next_pass < MAX_PASS_DELAY
            or now - self._progress[account.email][1] < MAX_PASS_DELAY.total_seconds()
        )


def _copy(app: App) -> None:
    if path := rotate(app.settings.data_dir, now=app.clock.now(), database=app.database):
        log.info("Wrote today's copy of everything.", extra=fields(file=path))


def logging_errors(name: str, work: Callable[[], object]) -> Callable[[], None]:
    """Return a function that does the work and logs any error; the next run tries again."""

    def run() -> None:
        try:
            work()
        except BuyerblockError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("A task of the server failed in an unexpected way.", extra=fields(task=name))

    return run
