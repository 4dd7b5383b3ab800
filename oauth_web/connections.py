"""How many connections are held at once, and until when one that is silent or slow."""

import sys
from typing import Any

from waitress.channel import HTTPChannel

if sys.platform != "win32":
    import resource

MOST = 1000
# Windows waits for at most 512 sockets at once.
MOST_ON_WINDOWS = 400
# Of the files that the process may have open: what stays for the database, for Gmail and for logs.
RESERVED = 128
PATIENCE = 20  # seconds
# Bytes of an unfinished request that show that it comes further, however slow the line is.
ENOUGH = 8192


def connection_limits() -> dict[str, Any]:
    """Return what waitress takes as settings."""
    return {
        "connection_limit": most_connections(),
        "channel_timeout": PATIENCE,
        "cleanup_interval": 5,  # seconds
        "asyncore_use_poll": True,  # where there is poll: select cannot watch files beyond the 1,024th
    }


def most_connections() -> int:
    """Return how many connections leave enough of the process's open files for the rest of the program."""
    if sys.platform == "win32":
        return MOST_ON_WINDOWS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(MOST, max(files - RESERVED, files // 2))


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress ships no types
    """A connection whose time runs out unless whole requests come, or large parts of them.

    To waitress every byte is a sign of life, so that one each ten seconds would hold a connection for ever.
    """

    last_activity: float

    def handle_read(self) -> None:
        before, size = self.last_activity, self._size()
        super().handle_read()
        if self.request is not None and self._size() // ENOUGH == size // ENOUGH:
            self.last_activity = before

    def _size(self) -> int:
        """Return how many bytes of an unfinished request are here."""
        if self.request is None:
            return 0
        size: int = self.request.header_bytes_received + self.request.body_bytes_received
        return size
