"""What the server does beside passes: send webhooks and alerts, write copies, expire blocks, feed the watchdog."""

import logging
from collections.abc import Callable
from datetime import timedelta

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

log = logging.getLogger(__name__)

WEBHOOK_EVERY = timedelta(seconds=5)
NOTIFY_EVERY = timedelta(seconds=15)
COPIES_EVERY = timedelta(seconds=2)
LOOK_EVERY = timedelta(minutes=1)
SUMMARY_EVERY = timedelta(minutes=20)
COPY_EVERY = timedelta(hours=1)  # it does something once a day; a laptop may sleep at any fixed hour
EXPIRE_EVERY = timedelta(hours=1)
# A pass that is later than this has not just been slow, nor asked by Google to wait; systemd then restarts the program.
MAX_PASS_DELAY = timedelta(minutes=15)


def schedule_housekeeping(app: App) -> None:
    """Add these tasks to the scheduler."""
    database, now = app.database, app.clock.now
    webhook, announcements = Webhook(database, app.sealer), Announcements(database)
    destinations, queue = Destinations(database, app.sealer), Queue(database)
    alerts = Alerts(database, announcements, queue)

    def add(every: timedelta, name: str, work: Callable[[], object]) -> None:
        app.scheduler.every(every, name, _logging_errors(name, work))

    add(WEBHOOK_EVERY, "webhook", lambda: deliver_due(webhook, app.block_list, announcements, now=now))
    add(NOTIFY_EVERY, "notifications", lambda: notify_due(app, destinations, queue))
    add(SUMMARY_EVERY, "summary", lambda: _summarise(app, queue))
    add(COPIES_EVERY, "published", Follower(database, now=now, monotonic=app.clock.monotonic).look)
    add(LOOK_EVERY, "problems", lambda: alerts.look(health(app, now()).problems, now()))
    add(COPY_EVERY, "copy", lambda: _copy(app))
    add(EXPIRE_EVERY, "expire", lambda: _expire(app))
    if (seconds := watchdog_interval()) is not None:
        add(timedelta(seconds=seconds), "watchdog", Watchdog(app).feed)


class Watchdog:
    """Notifies systemd that the program is alive while the passes of every account make progress."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._moved: dict[str, tuple[int, float]] = {}  # units spent, and when that was new

    def feed(self) -> bool:
        """Notify systemd if they make progress; return whether they do."""
        if moves := all(map(self._moves, self._app.accounts.all())):
            notify(ALIVE)
        return moves

    def _moves(self, account: Account) -> bool:
        """Return whether a pass starts when it should, or makes calls: a long one does, and one without a network."""
        app, since = self._app, self._app.clock.monotonic()
        spent = app.passes.spent(account.email)
        if self._moved.get(account.email, (-1, 0.0))[0] != spent:
            self._moved[account.email] = (spent, since)
        return (
            account.next_pass is None
            # It waits for the threads of others, and those are looked at themselves.
            or app.scheduler.is_in_line(account.email)
            or app.clock.now() - account.next_pass < MAX_PASS_DELAY
            or since - self._moved[account.email][1] < MAX_PASS_DELAY.total_seconds()
        )


def _copy(app: App) -> None:
    if path := rotate(app.settings.data_dir, now=app.clock.now(), database=app.database):
        log.info("Wrote today's copy of everything.", extra=fields(file=path))


def _summarise(app: App, queue: Queue) -> None:
    now = app.clock.now().astimezone()
    summarise_week(app, queue, [str(it) for it in health(app, now).problems], now=now)


def _expire(app: App) -> None:
    found = expiring(app)
    if found and found.count and not found.too_many:
        expire(app.database, found, by="expiry", at=app.clock.now())
        log.info("Blocks expired.", extra=fields(blocks=found.count, days=found.days))


def _logging_errors(name: str, work: Callable[[], object]) -> Callable[[], None]:
    """Log an error; the next run tries again."""

    def run() -> None:
        try:
            work()
        except BuyerblockError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("A task of the server failed in an unexpected way.", extra=fields(task=name))

    return run
