"""Enqueue jobs, and what the page and the commands of a host ask of its workers."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued

from worker.block_list.review import ReviewItem
from worker.database.postgres_pool import Pool
from worker.errors import UsageError
from worker.host.looks import Looks
from worker.mailbox_pass.decisions import Decision

# Each queue has its own threads, so that passes that wait for Google do not delay other jobs.
QUEUES = PLANS, LOOKS, PASSES, ERRANDS = "plans", "looks", "passes", "errands"

# Never opened: it enqueues jobs with our own connections.
_app = App(connector=SyncPsycopgConnector())


def enqueue(
    connection: Any, task: str, queue: str, *, lock: str | None = None, once: bool = True, **arguments: Any
) -> None:
    """Enqueue a job with a connection, within its transaction if there is one.

    lock: jobs with the same lock never run at the same time. once: do nothing if a job with this lock already waits.
    """
    queueing_lock = lock if once else None
    job = _app.configure_task(
        task, queue=queue, lock=lock, queueing_lock=queueing_lock, connection=connection
    )
    with suppress(AlreadyEnqueued):
        job.defer(**arguments)


class HostJobs:
    """The passes of a tenant's accounts. interval: returns the current seconds between two looks."""

    def __init__(self, pool: Pool, tenant: int, interval: Callable[[], int]) -> None:
        self._pool = pool
        self._tenant = tenant
        self._interval = interval
        self._looks = Looks(pool)

    def claim(self, email: str) -> None:
        """Give the mailbox to this tenant. Raises UsageError if it belongs to another one."""
        if not self._looks.claim(email, self._tenant):
            raise UsageError(
                "{email} is connected for another seller here; disconnect it there first.", email=email
            )

    def add(self, email: str) -> None:
        """Start the passes of an account; the first runs now and checks the filters."""
        self._looks.add(email, self._tenant, self._interval())

    def remove(self, email: str) -> None:
        """Stop the passes of an account, unless the mailbox belongs to another tenant."""
        self._looks.remove(email, self._tenant)

    def restart(self) -> None:
        """Look at every mailbox now, then at the current interval."""
        self._looks.restart(self._tenant, self._interval())

    def file(self, items: list[ReviewItem], decision: Decision) -> None:
        """Enqueue the filing of mail that a person decided about. The lock keeps passes of the mailbox out."""
        by_account: defaultdict[str, list[str]] = defaultdict(list)
        for it in items:
            by_account[it.account].append(it.id)
        for account, ids in by_account.items():
            arguments: dict[str, Any] = {"tenant": self._tenant, "items": ids, "decision": decision}
            self._pool.run(
                partial(enqueue, task="file", queue=ERRANDS, lock=account, once=False, **arguments)
            )
