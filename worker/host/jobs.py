"""What the page and the commands of a host ask of its workers, and how jobs are put in line."""

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

# Each has threads of its own, so that passes that wait for Google keep nobody else waiting.
QUEUES = PLANS, LOOKS, PASSES, ERRANDS = "plans", "looks", "passes", "errands"

# Never opened: it puts jobs in line by our own connections.
_app = App(connector=SyncPsycopgConnector())


def defer(
    connection: Any, task: str, queue: str, *, lock: str | None = None, once: bool = True, **arguments: Any
) -> None:
    """Put a job in line by a connection, in its transaction if there is one.

    lock: no two jobs with the same one run at once. once: nor wait, since the one that waits will do.
    """
    queueing_lock = lock if once else None
    job = _app.configure_task(
        task, queue=queue, lock=lock, queueing_lock=queueing_lock, connection=connection
    )
    with suppress(AlreadyEnqueued):
        job.defer(**arguments)


class HostJobs:
    """The passes of a tenant's accounts. interval: returns the seconds between two looks that hold now."""

    def __init__(self, pool: Pool, tenant: int, interval: Callable[[], int]) -> None:
        self._pool = pool
        self._tenant = tenant
        self._interval = interval
        self._looks = Looks(pool)

    def claim(self, email: str) -> None:
        """Let the mailbox be this tenant's. Raises UsageError where it is another's."""
        if not self._looks.claim(email, self._tenant):
            raise UsageError(
                "{email} is connected for another seller here; disconnect it there first.", email=email
            )

    def add(self, email: str) -> None:
        """Give an account its passes, the first at once, and it looks at the rules."""
        self._looks.add(email, self._tenant, self._interval())

    def remove(self, email: str) -> None:
        """Take an account's passes away, if it has any; another tenant may have the mailbox."""
        self._looks.remove(email, self._tenant)

    def restart(self) -> None:
        """Look at every mailbox at once, and from then on at the present interval."""
        self._looks.restart(self._tenant, self._interval())

    def file(self, items: list[ReviewItem], decision: Decision) -> None:
        """Have a worker file mail that a person decided about, beside no pass over the same mailbox."""
        mailboxes: defaultdict[str, list[str]] = defaultdict(list)
        for it in items:
            mailboxes[it.account].append(it.id)
        for account, ids in mailboxes.items():
            about: dict[str, Any] = {"tenant": self._tenant, "items": ids, "decision": decision}
            self._pool.run(partial(defer, task="file", queue=ERRANDS, lock=account, once=False, **about))
