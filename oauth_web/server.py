"""One process: waitress serves the page, the scheduler runs the passes, until a signal."""

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

# A pass ends at its next call or wait; a call that Google leaves hanging is cut after this many seconds.
# Nothing is lost by it: every step of a pass may be the last.
MAX_STOP = 4.0
ANSWER_FIRST = 0.5  # seconds
GATE_EVERY = timedelta(seconds=5)  # a look whether its settings have changed
# No file that an owner may send is larger. Of a stranger far less is read, see access/uploads.py.
MAX_BODY = 32 * 1024 * 1024
MAX_UNSENT = 1024 * 1024  # bytes of an export that wait in memory for a slow reader

# With glibc every thread allocates in a heap of its own, and what is free there stays there: in half an hour of passes,
# with nothing kept, the process grew by a quarter. So the threads share two heaps, and pieces that are large go
# straight back to the system. mallopt(3) explains the numbers.
_MALLOC_OPTIONS = {
    -8: 2,  # M_ARENA_MAX
    -3: 64 * 1024,  # M_MMAP_THRESHOLD, in bytes; set, it no longer grows with what was freed
    -1: 128 * 1024,  # M_TRIM_THRESHOLD, in bytes; likewise
}


def serve_forever(
    settings: Settings, *, open_page: bool, insecure_http: bool, log_file: bool, verbose: bool
) -> None:
    """Serve until SIGTERM or Ctrl-C, then stop within five seconds.

    log_file: log to a file in the data folder, for a service whose standard error nobody keeps. Raises UsageError or
    StorageError, each one sentence, before anything has started.
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
    # It warns of every pass that is still busy when the next is due, as a long first pass is.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    make_private_directory(settings.data_dir)
    limit_arenas()
    while _serve(settings, open_page=open_page, log_file=log_file):
        open_page = False


def _serve(settings: Settings, *, open_page: bool, log_file: bool) -> bool:
    """Serve until somebody ends it; return whether to restart, with what a restore has put in place."""
    if finish_restore(settings.data_dir):
        log.info("A restore was finished.")
    app = build_app(settings)
    with _only_server(app, open_page=open_page):
        restart = Ending()
        # Of a service that has no standard error, the link for the first owner is in its log.
        page = create_app(app, restart=restart.ask, say=log.info if log_file else print_on_terminal)
        connections: dict[int, Any] = {}
        server = listen(page, settings, connections)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, restart.end)
        log_settings(settings, version("buyerblock"))
        app.scheduler.start()
        schedule_housekeeping(app)
        gate = Follower(app.database, app.sealer, now=app.clock.now, folder=settings.data_dir)
        app.scheduler.every(GATE_EVERY, "gate", gate.look)
        url = settings.public_url or settings.own_url
        print_on_terminal(f"buyerblock is at {url} (Ctrl-C stops it)")
        seller: OneSeller = page.extensions[NAME]
        if seller.services.start_link and not seller.services.owners.emails():
            url = seller.services.start_link.show()
        if open_page:
            webbrowser.open(url)
        notify(READY)
        server.run()  # returns on SystemExit and KeyboardInterrupt
        if not restart.asked:
            notify(STOPPING)
        server.close()
        # A browser that keeps a connection open would wait for ever on it after a new start.
        wasyncore.close_all(connections, ignore_all=True)
        app.scheduler.stop()
        gate.stop()
        app.close()
    return restart.asked


class Ending:
    """How the server ends: at a signal, or at a wish to restart, which a page may have; a signal overrules it."""

    def __init__(self) -> None:
        self.asked = False
        self._begins = False

    def ask(self) -> None:
        """End the server in a moment, when the answer to whoever asked has left. Asked twice, it ends once."""
        if not self.asked:
            self.asked = True
            _later(ANSWER_FIRST, self._begin)

    def _begin(self) -> None:
        self._begins = True
        _thread.interrupt_main(signal.SIGTERM)

    def end(self, _signal: int, _frame: FrameType | None) -> None:
        """End the server, as a signal wishes; and the program in time, even if something hangs on the way."""
        if not self._begins:
            self.asked = False
            _later(MAX_STOP, lambda: os._exit(0))
        self._begins = False  # any other signal comes from outside
        raise SystemExit


def limit_arenas() -> bool:
    """Set up the C library, before there are threads; return False where it is not glibc and has no such trouble."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # as Windows, macOS and musl have it
        return False
    return all(mallopt(option, value) == 1 for option, value in _MALLOC_OPTIONS.items())


def refuse_plain_http(settings: Settings, *, insecure_http: bool) -> None:
    """Raise SettingsError where the page would be reached by others than this machine without https."""
    if insecure_http or (settings.public_url or "").startswith("https://"):
        return
    # A proxy may be in front of a server that listens to this machine alone.
    for host in (settings.host, urlsplit(settings.public_url or "http://localhost").hostname):
        if not is_loopback(host):
            raise SettingsError(
                "Being reached as {host} without https would show the block list and the sign-in to everybody on the "
                "network; set BUYERBLOCK_PUBLIC_URL to an https address, or insist with --insecure-http.",
                host=host,
            )


def _only_server(app: App, *, open_page: bool) -> AbstractContextManager[Any]:
    """Take the lock that one server at a time can hold. The system frees it however the process ends.

    Whoever wanted the page gets that of the server that holds it.
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
    """Return a server of the page that listens already, and keeps its connections there. Raises UsageError."""
    try:
        server = create_server(
            page,
            sockets=_sockets(settings.host, settings.port),
            threads=8,
            max_request_body_size=MAX_BODY,
            outbuf_high_watermark=MAX_UNSENT,
            # All links begin with it. A proxy may pass it on, or take it away.
            url_prefix=unquote_to_bytes(security.base_path(settings)).decode("latin-1"),
            **connection_limits(),
            # Limits count visitors by what a proxy says of them; nothing else is believed of its headers.
            clear_untrusted_proxy_headers=False,
            map=connections,
        )
    except (socket.gaierror, UnicodeError) as error:  # the latter of a name with a part that is too long
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
            # waitress asks for SO_REUSEADDR, which on Windows lets two programs have one port.
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
