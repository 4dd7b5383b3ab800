"""The server process: waitress serves the page, the scheduler runs the passes."""

import _thread
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from importlib.metadata import version
from types import FrameType
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from filelock import FileLock, Timeout
from flask import Flask
from waitress import create_server, wasyncore

from oauth_web.access import security
from oauth_web.access.client_file import read_client_file
from oauth_web.application import create_app, print_on_terminal
from oauth_web.connections import connection_limits
from oauth_web.services import NAME, OneSeller
from oauth_web.uploads import limit_bodies
from worker.app import App, build_app
from worker.errors import BusyError, BuyerblockError, SettingsError, UsageError
from worker.files import make_private_directory
from worker.gate.follower import Follower
from worker.operation.housekeeping import schedule_housekeeping
from worker.operation.logs import log_settings, set_up
from worker.operation.restore import finish_restore
from worker.operation.service import page_answers
from worker.operation.systemd import READY, STOPPING, notify
from worker.parsing import is_loopback
from worker.settings import Settings

log = logging.getLogger(__name__)

# Seconds. After a signal a pass ends at its next call or wait; after this time the process exits in any case. Nothing
# is lost: a pass may be killed at every step.
MAX_STOP = 4.0
ANSWER_FIRST = 0.5  # seconds
GATE_EVERY = timedelta(seconds=5)  # interval of checks for changed settings
# Bytes: the largest upload of an owner. The limits of strangers are much lower, see uploads.py.
MAX_BODY = 32 * 1024 * 1024
MAX_UNSENT = 1024 * 1024  # bytes of an export that wait in memory for a slow client

# With glibc every thread has its own heap and keeps the free memory in it: in half an hour of passes the process grew
# by a quarter. So the threads share two heaps, and large blocks are returned to the system. See mallopt(3).
_MALLOC_OPTIONS = {
    -8: 2,  # M_ARENA_MAX
    -3: 64 * 1024,  # M_MMAP_THRESHOLD, in bytes; setting it disables its automatic growth
    -1: 128 * 1024,  # M_TRIM_THRESHOLD, in bytes; likewise
}


def serve_forever(
    settings: Settings, *, open_page: bool, insecure_http: bool, log_file: bool, verbose: bool
) -> None:
    """Serve until SIGTERM or Ctrl-C, then stop within five seconds.

    log_file: log to a file in the data folder, for a service whose standard error is lost. Raises UsageError or
    StorageError before anything has started.
    """
    file = settings.data_dir / "buyerblock.log" if log_file else None
    if file:
        make_private_directory(settings.data_dir)
    set_up(as_json=settings.log == "json", verbose=verbose, secrets=(settings.secret_key,), file=file)
    try:
        _serve_repeatedly(settings, open_page=open_page, insecure_http=insecure_http, log_file=log_file)
    except BuyerblockError as error:
        if file:
            log.error(str(error))  # noqa: TRY400 - a sentence that says what to do
        raise
    except Exception:
        if file:
            log.exception("buyerblock ends after an unexpected error.")
        raise


def _serve_repeatedly(settings: Settings, *, open_page: bool, insecure_http: bool, log_file: bool) -> None:
    refuse_plain_http(settings, insecure_http=insecure_http)
    if settings.client_secrets.exists():
        read_client_file(settings.client_secrets)
    # It warns whenever a pass still runs when the next one is due, such as a long first pass.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    make_private_directory(settings.data_dir)
    limit_arenas()
    while _serve(settings, open_page=open_page, log_file=log_file):
        open_page = False


def _serve(settings: Settings, *, open_page: bool, log_file: bool) -> bool:
    """Serve until the end; return whether to restart, which finishes a restore."""
    if finish_restore(settings.data_dir):
        log.info("A restore was finished.")
    app = build_app(settings)
    with _only_server(app, open_page=open_page):
        shutdown = Shutdown()
        # A service without standard error writes the link for the first owner to its log.
        page = create_app(
            app, restart=shutdown.request_restart, say=log.info if log_file else print_on_terminal
        )
        gate = Follower(app.database, app.sealer, now=app.clock.now, folder=settings.data_dir)

        def start() -> None:
            app.scheduler.start()
            schedule_housekeeping(app)
            app.scheduler.every(GATE_EVERY, "gate", gate.look)
            _show_page(app, page, open_page=open_page)

        run(page, settings, shutdown, start)
        app.scheduler.stop()
        gate.stop()
        app.close()
    return shutdown.restart


def run(page: Flask, settings: Settings, shutdown: "Shutdown", start: Callable[[], None]) -> None:
    """Serve a page until a signal or a restart. start: called when the server listens."""
    connections: dict[int, Any] = {}
    server = listen(page, settings, connections)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, shutdown.handle_signal)
    log_settings(settings, version("buyerblock"))
    start()
    notify(READY)
    server.run()  # returns on SystemExit and KeyboardInterrupt
    if not shutdown.restart:
        notify(STOPPING)
    server.close()
    # Otherwise a browser with an open connection would wait on it for ever after the restart.
    wasyncore.close_all(connections, ignore_all=True)


def _show_page(app: App, page: Flask, *, open_page: bool) -> None:
    url = app.settings.public_url or app.settings.own_url
    print_on_terminal(f"buyerblock is at {url} (Ctrl-C stops it)")
    seller: OneSeller = page.extensions[NAME]
    if seller.services.start_link and not seller.services.owners.emails():
        url = seller.services.start_link.show()
    if open_page:
        webbrowser.open(url)


class Shutdown:
    """Ends the server at a signal, or for a restart that a page requests. A signal cancels the restart."""

    def __init__(self) -> None:
        self.restart = False
        self._own_signal = False

    def request_restart(self) -> None:
        """End the server soon, after the current answer was sent. A second request changes nothing."""
        if not self.restart:
            self.restart = True
            _later(ANSWER_FIRST, self._interrupt)

    def _interrupt(self) -> None:
        self._own_signal = True
        _thread.interrupt_main(signal.SIGTERM)

    def handle_signal(self, _signal: int, _frame: FrameType | None) -> None:
        """End the server; after a signal from outside the process exits within MAX_STOP even if something hangs."""
        if not self._own_signal:
            self.restart = False
            _later(MAX_STOP, lambda: os._exit(0))
        self._own_signal = False  # the next signal comes from outside
        raise SystemExit


def limit_arenas() -> bool:
    """Configure glibc's memory allocator; call it before threads start. Return False without glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # on Windows, macOS or musl
        return False
    return all(mallopt(option, value) == 1 for option, value in _MALLOC_OPTIONS.items())


def refuse_plain_http(settings: Settings, *, insecure_http: bool) -> None:
    """Raise SettingsError if other machines could reach the page without https."""
    if insecure_http or (settings.public_url or "").startswith("https://"):
        return
    # Also check public_url: a proxy may forward to a server that listens only on this machine.
    for host in (settings.host, urlsplit(settings.public_url or "http://localhost").hostname):
        if not is_loopback(host):
            raise SettingsError(
                "Being reached as {host} without https would show the block list and the sign-in to everybody on the "
                "network; set BUYERBLOCK_PUBLIC_URL to an https address, or insist with --insecure-http.",
                host=host,
            )


def _only_server(app: App, *, open_page: bool) -> AbstractContextManager[Any]:
    """Take the lock of the server. The system releases it when the process ends, even after a kill.

    Raises BusyError if another server has it; with open_page, first open that server's page.
    """
    try:
        return FileLock(app.settings.data_dir / "serve.lock", mode=0o600).acquire(blocking=False)
    except Timeout as error:
        if open_page and page_answers(app.settings.own_url):
            webbrowser.open(app.settings.public_url or app.settings.own_url)
        raise BusyError(
            "Another buyerblock is already serving {data_dir}; stop that one first, or give this one "
            "another BUYERBLOCK_DATA_DIR.",
            data_dir=app.settings.data_dir,
        ) from error


def listen(page: Flask, settings: Settings, connections: dict[int, Any]) -> Any:
    """Return a listening server for the page; it adds its connections to this dict. Raises UsageError."""
    try:
        server = create_server(
            page,
            sockets=_sockets(settings.host, settings.port),
            threads=8,
            max_request_body_size=MAX_BODY,
            outbuf_high_watermark=MAX_UNSENT,
            # All links start with it. A proxy may forward it or remove it.
            url_prefix=unquote_to_bytes(security.base_path(settings)).decode("latin-1"),
            **connection_limits(),
            # Rate limits use X-Forwarded-For; no other header of a proxy is used.
            clear_untrusted_proxy_headers=False,
            map=connections,
        )
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError: a label of the name is too long
        raise UsageError(
            "{host} is no address of this machine; choose another with --host.", host=settings.host
        ) from error
    except OSError as error:
        raise UsageError(
            "Cannot listen on {host}, port {port} ({strerror}); choose another with --port.",
            host=settings.host,
            port=str(settings.port),
            strerror=error.strerror,
        ) from error
    limit_bodies(page, connections.values())
    return server


def _sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket bound to each address of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound = []
    for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
        bound.append(listener := socket.socket(family))
        if sys.platform == "win32":
            # waitress sets SO_REUSEADDR, which on Windows allows two programs on one port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
    return bound


def _later(seconds: float, work: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
