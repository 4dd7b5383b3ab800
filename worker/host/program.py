"""A worker process of a host: Procrastinate fetches the jobs, threads do them, until a signal.

When the connection to PostgreSQL was lost the process starts again as soon as that answers: Procrastinate can
neither go on without its connection nor end the threads that are at work. The jobs that it had are taken over like
those of any dead worker.
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

EVERY = "* * * * * */2"  # seconds between two plans
POLL = 1.0  # seconds. LISTEN would need a session, which PgBouncer does not give away.
DEAD_AFTER = 20.0  # seconds without a sign of life
HEARTBEAT = 5.0  # seconds
ERRANDS_AT_ONCE = 8
# Only errands and passes have to be finished: the others are done by the next plan.
_DONE_AGAIN = frozenset({"file"})
MAX_STOP = 4.0  # seconds until what hangs is left to the others
RETRY = 2.0  # seconds


def database_url(settings: Settings) -> str:
    """Return the address of the host's database. Raises SettingsError."""
    if settings.database_url is None:
        raise SettingsError("BUYERBLOCK_DATABASE_URL is not set; write postgresql://user@host/database")
    return settings.database_url


def work(settings: Settings, threads: int) -> None:
    """Work until SIGTERM or Ctrl-C, then stop within five seconds. threads: for passes, and as many for looks.

    Raises SettingsError, StorageError.
    """
    clock = SystemClock()
    pool = open_pool(database_url(settings), connections=threads)
    tenants = Tenants(pool, settings, clock)
    search_after_recovery(tenants)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: _stop(clock))
    log.info("A worker starts.")
    # Not by asyncio.run, which would wait for every thread at its end.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_run(Work(tenants), database_url(settings), threads, clock))
    except (ConnectorException, PoolTimeout) as error:
        log.warning("The connection to PostgreSQL was lost: %s", error)
    with suppress(StoppedError):
        clock.pause(0)
        _begin_anew(database_url(settings), clock)
    log.info("A worker has stopped.")
    logging.shutdown()
    os._exit(0)  # a thread may still wait for Google


def _stop(clock: Clock) -> None:
    clock.stop()
    timer = threading.Timer(MAX_STOP, lambda: os._exit(0))
    timer.daemon = True
    timer.start()


def _begin_anew(url: str, clock: Clock) -> None:
    """Replace this process by a new one when PostgreSQL answers. Raises StoppedError."""
    while True:
        clock.pause(RETRY)
        try:
            with connected(url):
                break
        except StorageError as error:
            log.warning("%s", error)
    log.warning("The worker starts again.")
    logging.shutdown()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this very program


async def _run(work: Work, url: str, threads: int, clock: Clock) -> None:
    """Work until the clock is stopped, or the connection to PostgreSQL is lost."""
    loop = asyncio.get_running_loop()
    # asyncio's own would have six threads on two cores.
    loop.set_default_executor(ThreadPoolExecutor(2 * threads + ERRANDS_AT_ONCE + 3))
    app = App(connector=PsycopgConnector(conninfo=url, kwargs={"prepare_threshold": None}, max_size=6))
    _add_tasks(app, work)
    ends = asyncio.Event()
    # What could not be stored of a job's end would keep its lock for as long as this process lives.
    loop.set_exception_handler(lambda _, context: _failed(context, ends))
    async with app.open_async():
        queues = {PLANS: 2, LOOKS: threads, PASSES: threads, ERRANDS: ERRANDS_AT_ONCE}
        workers = [asyncio.create_task(_worker(app, queue, number)) for queue, number in queues.items()]
        stopping = asyncio.create_task(asyncio.to_thread(_until_stopped, clock))
        ending = asyncio.create_task(ends.wait())
        await asyncio.wait([*workers, stopping, ending], return_when=asyncio.FIRST_COMPLETED)
        for it in workers:
            it.cancel()
        await asyncio.wait(workers, timeout=MAX_STOP - 1)


def _failed(context: dict[str, Any], ends: asyncio.Event) -> None:
    log.warning("A job could not be ended: %s", context.get("exception") or context["message"])
    ends.set()


def _until_stopped(clock: Clock) -> None:
    with suppress(StoppedError):
        while True:
            clock.pause(3600)


async def _worker(app: App, queue: str, concurrency: int) -> None:
    await app.run_worker_async(
        queues=[queue],
        name=queue,
        concurrency=concurrency,
        fetch_job_polling_interval=POLL,
        abort_job_polling_interval=3600,  # nobody aborts jobs
        listen_notify=False,
        delete_jobs="always",
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT,
        stalled_worker_timeout=DEAD_AFTER,
    )


def _add_tasks(app: App, work: Work) -> None:
    async def plan(**_: int) -> None:
        await asyncio.to_thread(work.plan)

    async def sweep(**_: int) -> None:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
            await _take_over(app, work, job)

    # No lock: one that a dead worker held would keep the others from looking.
    for it in (plan, sweep):
        app.periodic(cron=EVERY)(app.task(name=it.__name__, queue=PLANS, queueing_lock=it.__name__)(it))
    app.task(name="look", queue=LOOKS)(work.look)
    app.task(name="pass", queue=PASSES)(work.run_pass)
    app.task(name="file", queue=ERRANDS)(work.file)
    app.task(name="tend", queue=ERRANDS)(work.tend)
    app.task(name="send", queue=ERRANDS)(work.send)


async def _take_over(app: App, work: Work, job: Job) -> None:
    """Have a job of a dead worker done again. Its successor may wait already, so it is not put in line again itself."""
    if job.task_name in _DONE_AGAIN:
        await app.job_manager.retry_job(job)
        return
    await asyncio.to_thread(work.taken_over, job.task_name, job.task_kwargs)
    with suppress(Exception):  # another sweep was faster
        await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
