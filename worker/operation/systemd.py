"""Notify systemd of the state of the service: started, alive, stopping. Elsewhere this does nothing.

See sd_notify(3): one datagram of ``NAME=value`` lines to the socket that NOTIFY_SOCKET names.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


def notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send a state; return whether it was sent. A missing service manager is no error."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return False
    if address.startswith("@"):  # a name in Linux's abstract namespace
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.sendto(state.encode(), address)
        return True
    return False


def watchdog_interval(environ: Mapping[str, str] = os.environ) -> float | None:
    """Return the seconds between two ALIVE, None without a watchdog: half the limit, see sd_watchdog_enabled(3)."""
    limit, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(os.getpid()))
    if not limit.isdecimal() or int(limit) == 0 or watched != str(os.getpid()):
        return None
    return int(limit) / 2_000_000
