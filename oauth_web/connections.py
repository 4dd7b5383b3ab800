"""Limits for connections: their number, and a timeout for silent or slow ones."""

import sys
from typing import Any

from waitress.channel import HTTPChannel

if sys.platform != "win32":
    import resource

MOST = 1000
# Windows can wait for 512 sockets at most.
MOST_ON_WINDOWS = 400
# Open files that are reserved for the database, for Gmail and for logs.
RESERVED = 128
PATIENCE = 20  # seconds
# Bytes of an unfinished request that count as progress, even on a slow connection.
ENOUGH = 8192


def connection_limits() -> dict[str, Any]:
    """Return the settings for waitress."""
    return {
        "connection_limit": most_connections(),
        "channel_timeout": PATIENCE,
        "cleanup_interval": 5,  # seconds
        "asyncore_use_poll": True,  # if available: select does not support more than 1,024 files
    }


def most_connections() -> int:
    """Return the maximum number of connections, within the process's limit of open files."""
    if sys.platform == "win32":
        return MOST_ON_WINDOWS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(MOST, max(files - RESERVED, files // 2))


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress ships no types
    """A connection with a timeout that only complete requests, or large parts of them, extend.

    In waitress every byte extends the timeout, so that one byte every ten seconds keeps a connection open for ever.
    """

    last_activity: float

    def handle_read(self) -> None:
        before, size = self.last_activity, self._size()
        super().handle_read()
        if self.request is not None and self._size() // ENOUGH == size // ENOUGH:
            self.last_activity = before

    def _size(self) -> int:
        """Return the number of received bytes of an unfinished request."""
        if self.request is None:
            return 0
        size: int = self.request.header_bytes_received + self.request.body_bytes_received
        return size
