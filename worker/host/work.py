"""The jobs of a host. Each may be killed at any moment and run again.

``plan`` enqueues the others every few seconds; ``sweep`` recovers the jobs of dead workers. An idle mailbox has no job
of its own: one job looks at a hundred mailboxes.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from worker.app import App
from worker.database.postgres_pool import LOCKS
from worker.errors import (
    BuyerblockError,
    GmailError,
    QuotaError,
    SignInAgainError,
    StoppedError,
    TransientError,
)
from worker.events import about, fields
from worker.gmail.glance import Glances
from worker.gmail.wanted import QUEUE
from worker.host.jobs import ERRANDS, LOOKS, PASSES, enqueue
from worker.host.looks import Look, claim_due
from worker.host.tally import tally
from worker.host.tenants import Tenants
from worker.mailbox_pass.decisions import Decision, file_decided
from worker.mailbox_pass.progress import Progress, Watch
from worker.mailbox_pass.unreadable import count_set_aside
from worker.operation.housekeeping import Chores, logging_errors
from worker.sealing import UnsealError

log = logging.getLogger(__name__)

LOOKS_PER_JOB = 100
LOOKS_PER_PLAN = 10_000
SELLERS_PER_JOB = 20
# After so many failures in a row Google is assumed to be down, and the job skips its other mailboxes.
MAX_FAILURES = 3
# A pass may keep its thread for so long while others wait for one.
TIME_SLICE = timedelta(minutes=10)

_WAITING = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = %s"
_TO_TEND = """
    WITH due AS (
        SELECT id FROM tenants WHERE tend_at <= now() AND owner <> '' ORDER BY tend_at LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    UPDATE tenants SET tend_at = now() + (0.9 + 0.2 * random()) * interval '3 minutes'
    FROM due WHERE tenants.id = due.id RETURNING tenants.id
"""
# After a pass, and while a problem is being counted, there may be something to report: tend these sellers in a minute,
# as a single-seller program does. Not sooner, because looks at problems must be a minute apart.
_TEND_SOON = """
    UPDATE tenants SET tend_at = now() + interval '1 minute'
    WHERE id = ANY(%s) AND tend_at > now() + interval '1 minute'
"""
_WITH_PROBLEM = " AND EXISTS (SELECT FROM problems WHERE tenant_id = id AND document ->> 'looks' IS NOT NULL)"
# Sellers with messages to send. Some are not due yet; checking them costs a query or two.
_TO_SEND = """
    SELECT tenant_id FROM notifications UNION SELECT tenant_id FROM announcements
    UNION SELECT tenant_id FROM webhook JOIN tenants ON tenants.id = tenant_id
        WHERE (document #>> '{position,sequence}')::bigint <> newest OR document #>> '{position,lineage}' <> lineage
"""


class Work:
    """The jobs, without their queues and locks. Raises StorageError if PostgreSQL fails."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._pool = tenants.pool
        self._clock = tenants.clock
        self._looks = tenants.looks
        self._glances = Glances(tenants.settings.gmail_url, tenants.clock, tenants.sessions)

    def plan(self) -> None:
        """Enqueue due work and schedule it again in the same transaction; skip a task while such jobs still wait."""
        for task, enqueue_due in (("look", _plan_looks), ("tend", _plan_tending), ("send", _plan_sending)):
            self._pool.run(partial(_plan, task, enqueue_due))

    def look(self, accounts: list[str]) -> None:
        """Look at mailboxes with one call each, without retries, and start passes where there is work."""
        idle: list[str] = []
        left = iter(self._looks.read(accounts))
        failed = 0
        try:
            for it in left:
                self._clock.pause(0)  # raises StoppedError
                try:
                    if self._has_work(it):
                        self._begin_pass(it)
                    else:
                        idle.append(it.account)
                    failed = 0
                except TransientError as error:
                    failed += not isinstance(error, QuotaError)
                    if failed == MAX_FAILURES:
                        log.warning("Gmail does not answer: %s", error, extra=fields(left=len(list(left))))
                except BuyerblockError as error:
                    which = fields(account=it.account, tenant=it.tenant)
                    log.warning("A mailbox was not looked at: %s", error, extra=which)
        except StoppedError:
            self._looks.make_due(set(accounts) - set(idle))
        finally:
            self._looks.record_idle(idle)
            tally(self._pool, {("looks", ""): len(idle)})

    def _has_work(self, look: Look) -> bool:
        if look.label is None:
            return True
        try:
            count = self._count(look, look.label)
        except TransientError:
            raise
        except GmailError:
            # The pass finds the cause and notifies the owner.
            self._looks.save_token(look.account, None, None)
            return True
        if look.rules_due or count != look.unexplained:
            return True
        if count:
            self._record_unlisted(look)
        return False

    def _record_unlisted(self, look: Look) -> None:
        """Record unlisted mail after a second count confirmed it: Gmail's counts can be late."""
        app = self._tenants.app(look.tenant)
        unlisted = look.unexplained - count_set_aside(app.database, look.account)
        app.accounts.update(look.account, unlisted=max(0, unlisted))

    def _count(self, look: Look, label: str) -> int:
        if look.token is not None:
            try:
                return self._glances.count(self._tenants.sealer.unseal(look.token), label)
            except UnsealError:
                pass  # encrypted with a key that was removed
        token = self._glances.token(self._tenants.app(look.tenant).accounts.grant(look.account))
        self._looks.save_token(look.account, self._tenants.sealer.seal(token.text), token.until)
        return self._glances.count(token.text, label)

    def _begin_pass(self, look: Look) -> None:
        which: dict[str, Any] = {"account": look.account, "tenant": look.tenant}
        self._pool.run(partial(enqueue, task="pass", queue=PASSES, lock=look.account, **which))

    def run_pass(self, account: str, tenant: int) -> None:
        """Run a pass and store its outcome in the account's state."""
        with self._tenants.new_app(tenant) as app:
            outcome = "good"
            try:
                app.passes.run(account, self._time_slice())
                label = app.accounts.get(account).labels.get(QUEUE)
                if not (unexplained := app.passes.unexplained(account)):
                    app.accounts.update(account, unlisted=0)
                self._looks.pass_succeeded(account, tenant, label, unexplained)
            except StoppedError:
                outcome = "stopped"
                self._looks.pass_failed(account, tenant)
                self._looks.make_due([account])
            except Exception as error:
                outcome = "sign_in_again" if isinstance(error, SignInAgainError) else "problem"
                self._after_failure(app, account, tenant)
            units = app.passes.spent(account)
            tally(self._pool, {("passes", outcome): 1, ("units", str(tenant)): units})
            self._tend_soon(_TEND_SOON, tenant)

    def _after_failure(self, app: App, account: str, tenant: int) -> None:
        known = {it.email: it for it in app.accounts.all()}
        if account not in known:  # disconnected meanwhile
            self._looks.remove(account, tenant)
        elif known[account].waits_for_sign_in:
            self._looks.wait_for_sign_in(account, tenant)
        else:
            self._looks.pass_failed(account, tenant)

    def _time_slice(self) -> Watch:
        """Return a function that ends a pass between two steps once its time is over and others wait."""
        ends = self._clock.monotonic() + TIME_SLICE.total_seconds()

        def stop_if_over(_: Progress) -> None:
            if self._clock.monotonic() > ends and self._pool.run(partial(_waiting, task="pass")):
                raise StoppedError("Other mailboxes wait for their turn.")

        return stop_if_over

    def file(self, tenant: int, items: list[str], decision: Decision) -> None:
        """File mail that a person decided about."""
        with self._tenants.new_app(tenant) as app:
            found = [item for it in items if (item := app.review.get(it)) is not None]
            file_decided(app.accounts, app.passes, app.review, found, decision)

    def tend(self, tenants: list[int]) -> None:
        """Report problems, end old blocks and write summaries, for each of these sellers."""
        for tenant in tenants:
            with about(tenant=tenant):
                chores = Chores(self._tenants.app(tenant))
                for work in (chores.report, chores.expire, chores.summarise):
                    logging_errors("tend", work)()
        self._tend_soon(_TEND_SOON + _WITH_PROBLEM, *tenants)

    def _tend_soon(self, sql: str, *tenants: int) -> None:
        self._pool.run(lambda connection: connection.execute(sql.encode(), (list(tenants),)))

    def send(self, tenant: int) -> None:
        """Send a seller's webhook and notifications what is due."""
        with self._tenants.new_app(tenant) as app:
            chores = Chores(app)
            for work in (chores.deliver, chores.notify):
                logging_errors("send", work)()
        self._tend_soon(_TEND_SOON, tenant)

    def recover(self, task: str, arguments: dict[str, Any]) -> None:
        """Make the work of a dead worker due again."""
        if task == "look":
            self._looks.make_due(arguments["accounts"])
        elif task == "pass":
            self._looks.pass_failed(arguments["account"], arguments["tenant"])
            self._looks.make_due([arguments["account"]])
        log.warning("A job of a dead worker is done again.", extra=fields(job=task))


def _plan(task: str, enqueue_due: Callable[[Any], None], connection: Any) -> None:
    with connection.transaction():
        locked = connection.execute("SELECT pg_try_advisory_xact_lock(%s, -1)", (LOCKS,)).fetchone()[0]
        if locked and not _waiting(connection, task):
            enqueue_due(connection)


def _waiting(connection: Any, task: str) -> int:
    return int(connection.execute(_WAITING, (task,)).fetchone()[0])


def _plan_looks(connection: Any) -> None:
    for batch in _batches(claim_due(connection, LOOKS_PER_PLAN), LOOKS_PER_JOB):
        enqueue(connection, "look", LOOKS, accounts=batch)


def _plan_tending(connection: Any) -> None:
    due = [tenant for (tenant,) in connection.execute(_TO_TEND)]
    for batch in _batches(due, SELLERS_PER_JOB):
        enqueue(connection, "tend", ERRANDS, tenants=batch)


def _plan_sending(connection: Any) -> None:
    for (tenant,) in connection.execute(_TO_SEND).fetchall():
        # One at a time, or messages would arrive out of order.
        enqueue(connection, "send", ERRANDS, lock=f"send {tenant}", tenant=tenant)


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch
