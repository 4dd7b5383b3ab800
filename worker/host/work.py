"""What the jobs of a host do. Each may be killed at any moment, and be done again.

``plan`` puts the others in line, every few seconds; ``sweep`` takes over what a dead worker had started. No idle
mailbox has a job of its own: a hundred are looked at by one.
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
from worker.host.jobs import ERRANDS, LOOKS, PASSES, defer
from worker.host.looks import Look, claim_due
from worker.host.tally import tally
from worker.host.tenants import Tenants
from worker.mailbox_pass.decisions import Decision, file_decided
from worker.mailbox_pass.progress import Progress, Watch
from worker.mailbox_pass.unreadable import count_set_aside
from worker.operation.housekeeping import Chores, logging_errors
from worker.sealing import UnsealError

log = logging.getLogger(__name__)

LOOKS_AT_ONCE = 100  # of one job
PLANNED_AT_ONCE = 10_000
TENDED_AT_ONCE = 20  # sellers, of one job
# Tries in a row that failed, after which Google is taken to be down: the others of the job would only wait in vain.
GIVE_UP = 3
# How long a pass may keep its thread while others wait for one.
TURN = timedelta(minutes=10)

_WAITING = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = %s"
_TO_TEND = """
    WITH due AS (
        SELECT id FROM tenants WHERE tend_at <= now() AND owner <> '' ORDER BY tend_at LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    UPDATE tenants SET tend_at = now() + (0.9 + 0.2 * random()) * interval '3 minutes'
    FROM due WHERE tenants.id = due.id RETURNING tenants.id
"""
# As often as at home for whom there may be something to report: after a pass, and while a problem is counted.
# A minute from now at the soonest, since looks at problems are counted as a minute apart.
_TEND_SOON = """
    UPDATE tenants SET tend_at = now() + interval '1 minute'
    WHERE id = ANY(%s) AND tend_at > now() + interval '1 minute'
"""
_COUNTED = " AND EXISTS (SELECT FROM problems WHERE tenant_id = id AND document ->> 'looks' IS NOT NULL)"
# Who has news to be sent; what is not due yet is asked for again, which costs a query or two.
_TO_SEND = """
    SELECT tenant_id FROM notifications UNION SELECT tenant_id FROM announcements
    UNION SELECT tenant_id FROM webhook JOIN tenants ON tenants.id = tenant_id
        WHERE (document #>> '{position,sequence}')::bigint <> newest OR document #>> '{position,lineage}' <> lineage
"""


class Work:
    """The jobs, but for their queues and locks. Raises StorageError where PostgreSQL fails."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._pool = tenants.pool
        self._clock = tenants.clock
        self._looks = tenants.looks
        self._glances = Glances(tenants.settings.gmail_url, tenants.clock, tenants.sessions)

    def plan(self) -> None:
        """Put in line what is due, in the transaction that says when it is due again; nothing while such jobs wait."""
        for task, put_in_line in (("look", _plan_looks), ("tend", _plan_tending), ("send", _plan_sending)):
            self._pool.run(partial(_plan, task, put_in_line))

    def look(self, accounts: list[str]) -> None:
        """Look into mailboxes, with one call and one try each, and begin passes where there is work."""
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
                    if failed == GIVE_UP:
                        log.warning("Gmail does not answer: %s", error, extra=fields(left=len(list(left))))
                except BuyerblockError as error:
                    which = fields(account=it.account, tenant=it.tenant)
                    log.warning("A mailbox was not looked at: %s", error, extra=which)
        except StoppedError:
            self._looks.due(set(accounts) - set(idle))
        finally:
            self._looks.idle(idle)
            tally(self._pool, {("looks", ""): len(idle)})

    def _has_work(self, look: Look) -> bool:
        if look.label is None:
            return True
        try:
            count = self._count(look, look.label)
        except TransientError:
            raise
        except GmailError:
            # A pass finds out what it is, and notifies the owner.
            self._looks.keep_token(look.account, None, None)
            return True
        if look.rules_due or count != look.unexplained:
            return True
        if count:
            self._tell_of_unlisted(look)
        return False

    def _tell_of_unlisted(self, look: Look) -> None:
        """Record what a second count has confirmed: Gmail's counts can be late."""
        app = self._tenants.app(look.tenant)
        unlisted = look.unexplained - count_set_aside(app.database, look.account)
        app.accounts.update(look.account, unlisted=max(0, unlisted))

    def _count(self, look: Look, label: str) -> int:
        if look.token is not None:
            try:
                return self._glances.count(self._tenants.sealer.unseal(look.token), label)
            except UnsealError:
                pass  # sealed with a key that was taken away
        token = self._glances.token(self._tenants.app(look.tenant).accounts.grant(look.account))
        self._looks.keep_token(look.account, self._tenants.sealer.seal(token.text), token.until)
        return self._glances.count(token.text, label)

    def _begin_pass(self, look: Look) -> None:
        which: dict[str, Any] = {"account": look.account, "tenant": look.tenant}
        self._pool.run(partial(defer, task="pass", queue=PASSES, lock=look.account, **which))

    def run_pass(self, account: str, tenant: int) -> None:
        """Run a pass; its outcome becomes the account's state."""
        with self._tenants.at_work(tenant) as app:
            outcome = "good"
            try:
                app.passes.run(account, self._turn())
                label = app.accounts.get(account).labels.get(QUEUE)
                if not (unexplained := app.passes.unexplained(account)):
                    app.accounts.update(account, unlisted=0)
                self._looks.ended(account, tenant, label, unexplained)
            except StoppedError:
                outcome = "stopped"
                self._looks.failed(account, tenant)
                self._looks.due([account])
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
            self._looks.failed(account, tenant)

    def _turn(self) -> Watch:
        """Return what ends a pass, between two steps, when its turn is over and others wait. Nothing is lost by it."""
        ends = self._clock.monotonic() + TURN.total_seconds()

        def give_way(_: Progress) -> None:
            if self._clock.monotonic() > ends and self._pool.run(partial(_waiting, task="pass")):
                raise StoppedError("Other mailboxes wait for their turn.")

        return give_way

    def file(self, tenant: int, items: list[str], decision: Decision) -> None:
        """File mail that a person decided about."""
        with self._tenants.at_work(tenant) as app:
            found = [item for it in items if (item := app.review.get(it)) is not None]
            file_decided(app.accounts, app.passes, app.review, found, decision)

    def tend(self, tenants: list[int]) -> None:
        """Report problems, end old blocks and write summaries, for each of these sellers."""
        for tenant in tenants:
            with about(tenant=tenant):
                chores = Chores(self._tenants.app(tenant))
                for work in (chores.report, chores.expire, chores.summarise):
                    logging_errors("tend", work)()
        self._tend_soon(_TEND_SOON + _COUNTED, *tenants)

    def _tend_soon(self, sql: str, *tenants: int) -> None:
        self._pool.run(lambda connection: connection.execute(sql.encode(), (list(tenants),)))

    def send(self, tenant: int) -> None:
        """Send a seller's webhook and notifications what is due."""
        with self._tenants.at_work(tenant) as app:
            chores = Chores(app)
            for work in (chores.deliver, chores.notify):
                logging_errors("send", work)()
        self._tend_soon(_TEND_SOON, tenant)

    def taken_over(self, task: str, arguments: dict[str, Any]) -> None:
        """Have done again what a dead worker had started."""
        if task == "look":
            self._looks.due(arguments["accounts"])
        elif task == "pass":
            self._looks.failed(arguments["account"], arguments["tenant"])
            self._looks.due([arguments["account"]])
        log.warning("A job of a dead worker is done again.", extra=fields(job=task))


def _plan(task: str, put_in_line: Callable[[Any], None], connection: Any) -> None:
    with connection.transaction():
        alone = connection.execute("SELECT pg_try_advisory_xact_lock(%s, -1)", (LOCKS,)).fetchone()[0]
        if alone and not _waiting(connection, task):
            put_in_line(connection)


def _waiting(connection: Any, task: str) -> int:
    return int(connection.execute(_WAITING, (task,)).fetchone()[0])


def _plan_looks(connection: Any) -> None:
    for some in _batches(claim_due(connection, PLANNED_AT_ONCE), LOOKS_AT_ONCE):
        defer(connection, "look", LOOKS, accounts=some)


def _plan_tending(connection: Any) -> None:
    due = [tenant for (tenant,) in connection.execute(_TO_TEND)]
    for some in _batches(due, TENDED_AT_ONCE):
        defer(connection, "tend", ERRANDS, tenants=some)


def _plan_sending(connection: Any) -> None:
    for (tenant,) in connection.execute(_TO_SEND).fetchall():
        # No two at once, or messages would arrive out of order.
        defer(connection, "send", ERRANDS, lock=f"send {tenant}", tenant=tenant)


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
