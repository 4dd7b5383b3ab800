"""The running gate: a thread with its own event loop."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from worker.block_list import BlockList
from worker.errors import StorageError, UsageError
from worker.events import fields
from worker.gate.exchange import SharedState
from worker.gate.record import GateRecord
from worker.gate.session import GateSession
from worker.gate.settings import GateSettings

# Each has a thread that may wait for the real server, and a connection to the real server.
MAX_SESSIONS = 50
STORE_INTERVAL = 5.0  # seconds
STOP_TIMEOUT = 1.5  # seconds for current mails

log = logging.getLogger(__name__)


class Gate:
    """A gate with fixed settings. folder: for large mails, until they are sent."""

    def __init__(
        self,
        settings: GateSettings,
        block_list: BlockList,
        record: GateRecord,
        *,
        now: Callable[[], datetime],
        folder: Path,
    ) -> None:
        self._settings = settings
        self._record = record
        self._shared = SharedState(
            settings=settings,
            block_list=block_list,
            record=record,
            now=now,
            folder=folder,
            pool=ThreadPoolExecutor(MAX_SESSIONS, "gate"),
            name=socket.gethostname(),
        )
        self._sessions: set[GateSession] = set()
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="gate", daemon=True)

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        """Listen. Raises UsageError if it cannot."""
        # aiosmtpd's logger warns about our normal use, and logs addresses.
        logging.getLogger("mail").setLevel(logging.CRITICAL)
        self._tls_context()
        self._thread.start()
        self._started.result()
        log.info("The gate takes mail.", extra=fields(host=self._settings.host, port=self._settings.port))

    def stop(self) -> None:
        """Accept no more mail, let current mails finish for STOP_TIMEOUT, then stop."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await self._loop.create_server(
                self._new_session, self._settings.host, self._settings.port
            )
        except (OSError, UnicodeError) as error:  # UnicodeError: a label of the name is too long
            self._started.set_exception(self._listen_error(error))
            return
        self._started.set_result(None)
        while not self._stopping.is_set():
            await self._store(STORE_INTERVAL)
        server.close()
        await self._finish()
        await self._store(0)

    async def _store(self, after: float) -> None:
        """Wait so many seconds, or until the gate is stopped; then store the record."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), after)
        try:
            await asyncio.to_thread(self._record.flush)
        except StorageError as error:
            log.warning("%s", error)

    async def _finish(self) -> None:
        sessions = self._sessions
        await self._wait_for(lambda: not any(it.busy for it in sessions))
        for session in list(sessions):
            session.drop()
        await self._wait_for(lambda: not sessions)
        self._shared.pool.shutdown(wait=False, cancel_futures=True)

    async def _wait_for(self, condition: Callable[[], bool]) -> None:
        end = self._loop.time() + STOP_TIMEOUT
        while not condition() and self._loop.time() < end:
            await asyncio.sleep(0.02)

    def _new_session(self) -> asyncio.Protocol:
        if len(self._sessions) >= MAX_SESSIONS:
            return _TooManySessions()
        return GateSession(self._shared, self._sessions, self._tls_context())

    def _tls_context(self) -> ssl.SSLContext | None:
        """Read the certificate, for each session: it is renewed every few weeks. Raises UsageError."""
        if not self._settings.certificate:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self._settings.certificate, self._settings.key)
        except OSError as error:
            raise UsageError(
                "The gate's certificate {certificate} and its key cannot be used ({why}); name the PEM files of both.",
                certificate=self._settings.certificate,
                why=error.strerror or str(error),
            ) from error
        return context

    def _listen_error(self, error: Exception) -> UsageError:
        why = getattr(error, "strerror", None) or error
        return UsageError(
            "The gate cannot listen on {host}, port {port} ({why}); choose another port.",
            host=self._settings.host,
            port=str(self._settings.port),
            why=str(why),
        )


class _TooManySessions(asyncio.Protocol):
    """Reply to a connection beyond MAX_SESSIONS."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.7.0 too many connections; try again later\r\n")
            transport.close()
