"""A worker process of a host: Procrastinate fetches the jobs, threads run them, until a signal.

After the connection to PostgreSQL is lost, the process waits for PostgreSQL and restarts itself: Procrastinate cannot
reconnect, nor end the running threads. Its jobs are recovered like those of any dead worker.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from psycopg_pool import PoolTimeout

from worker.clock import Clock, SystemClock
from worker.database.postgres import open_pool
from worker.database.postgres_pool import connected
from worker.errors import SettingsError, StoppedError, StorageError
from worker.host.jobs import ERRANDS, LOOKS, PASSES, PLANS
from worker.host.recovery import search_after_recovery
from worker.host.tenants import Tenants
from worker.host.work import Work
from worker.settings import Settings

log = logging.getLogger(__name__)

PLAN_SCHEDULE = "* * * * * */2"  # every two seconds
POLL_INTERVAL = 1.0  # seconds. LISTEN would need a session, which PgBouncer does not provide.
DEAD_AFTER = 20.0  # seconds without a heartbeat
HEARTBEAT_INTERVAL = 5.0  # seconds
ERRANDS_AT_ONCE = 8
# Jobs of a dead worker that must be retried; the next plan makes the others again.
_RETRIED = frozenset({"file"})
STOP_TIMEOUT = 4.0  # seconds; jobs that still run then are recovered by other workers
RETRY_DELAY = 2.0  # seconds


def database_url(settings: Settings) -> str:
    """Return the URL of the host's database. Raises SettingsError."""
    if settings.database_url is None:
        raise SettingsError("BUYERBLOCK_DATABASE_URL is not set; write postgresql://user@host/database")
    return settings.database_url


def work(settings: Settings, threads: int) -> None:
    """Run jobs until SIGTERM or Ctrl-C, then stop within five seconds. threads: for passes, and as many for looks.

    Raises SettingsError, StorageError.
    """
    clock = SystemClock()
    pool = open_pool(database_url(settings), connections=threads)
    tenants = Tenants(pool, settings, clock)
    search_after_recovery(tenants)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: _stop(clock))
    log.info("A worker starts.")
    # asyncio.run would wait for every thread at its end.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_run(Work(tenants), database_url(settings), threads, clock))
    except (ConnectorException, PoolTimeout) as error:
        log.warning("The connection to PostgreSQL was lost: %s", error)
    with suppress(StoppedError):
        clock.pause(0)
        _restart(database_url(settings), clock)
    log.info("A worker has stopped.")
    logging.shutdown()
    os._exit(0)  # a thread may still wait for Google


def _stop(clock: Clock) -> None:
    clock.stop()
    timer = threading.Timer(STOP_TIMEOUT, lambda: os._exit(0))
    timer.daemon = True
    timer.start()


def _restart(url: str, clock: Clock) -> None:
    """Replace this process with a new one as soon as PostgreSQL answers. Raises StoppedError."""
    while True:
        clock.pause(RETRY_DELAY)
        try:
            with connected(url):
                break
        except StorageError as error:
            log.warning("%s", error)
    log.warning("The worker starts again.")
    logging.shutdown()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this program


async def _run(work: Work, url: str, threads: int, clock: Clock) -> None:
    """Run jobs until the clock is stopped or the connection to PostgreSQL is lost."""
    loop = asyncio.get_running_loop()
    # asyncio's default executor has only six threads on two cores.
    loop.set_default_executor(ThreadPoolExecutor(2 * threads + ERRANDS_AT_ONCE + 3))
    app = App(connector=PsycopgConnector(conninfo=url, kwargs={"prepare_threshold": None}, max_size=6))
    _add_tasks(app, work)
    failed = asyncio.Event()
    # If the end of a job cannot be stored, its lock stays until this process ends.
    loop.set_exception_handler(lambda _, context: _on_error(context, failed))
    async with app.open_async():
        queues = {PLANS: 2, LOOKS: threads, PASSES: threads, ERRANDS: ERRANDS_AT_ONCE}
        workers = [asyncio.create_task(_worker(app, queue, number)) for queue, number in queues.items()]
        stopping = asyncio.create_task(asyncio.to_thread(_wait_for_stop, clock))
        failing = asyncio.create_task(failed.wait())
        await asyncio.wait([*workers, stopping, failing], return_when=asyncio.FIRST_COMPLETED)
        for it in workers:
            it.cancel()
        await asyncio.wait(workers, timeout=STOP_TIMEOUT - 1)


def _on_error(context: dict[str, Any], failed: asyncio.Event) -> None:
    log.warning("A job could not be ended: %s", context.get("exception") or context["message"])
    failed.set()


def _wait_for_stop(clock: Clock) -> None:
    with suppress(StoppedError):
        while True:
            clock.pause(3600)


async def _worker(app: App, queue: str, concurrency: int) -> None:
    await app.run_worker_async(
        queues=[queue],
        name=queue,
        concurrency=concurrency,
        fetch_job_polling_interval=POLL_INTERVAL,
        abort_job_polling_interval=3600,  # nobody aborts jobs
        listen_notify=False,
        delete_jobs="always",
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT_INTERVAL,
        stalled_worker_timeout=DEAD_AFTER,
    )


def _add_tasks(app: App, work: Work) -> None:
    async def plan(**_: int) -> None:
        await asyncio.to_thread(work.plan)

    async def sweep(**_: int) -> None:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
            await _recover(app, work, job)

    # No lock: a dead worker would still hold it, and no other worker could sweep.
    for it in (plan, sweep):
        app.periodic(cron=PLAN_SCHEDULE)(
            app.task(name=it.__name__, queue=PLANS, queueing_lock=it.__name__)(it)
        )
    app.task(name="look", queue=LOOKS)(work.look)
    app.task(name="pass", queue=PASSES)(work.run_pass)
    app.task(name="file", queue=ERRANDS)(work.file)
    app.task(name="tend", queue=ERRANDS)(work.tend)
    app.task(name="send", queue=ERRANDS)(work.send)


async def _recover(app: App, work: Work, job: Job) -> None:
    """Recover a job of a dead worker. Looks and passes get new jobs: one may wait in the queue already."""
    if job.task_name in _RETRIED:
        await app.job_manager.retry_job(job)
        return
    await asyncio.to_thread(work.recover, job.task_name, job.task_kwargs)
    with suppress(Exception):  # another sweep was faster
        await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
