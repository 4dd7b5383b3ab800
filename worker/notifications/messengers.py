"""Messengers: Slack, Telegram, Discord, ntfy and all others that the library Apprise supports, by their Apprise URLs.

The library takes 30 MB of memory, so it is loaded at the first use. Its log lines may contain tokens, so they are
captured, and only the HTTP status in them is used.
"""

import logging
import re
from typing import TYPE_CHECKING, Any

from worker.errors import UsageError

if TYPE_CHECKING:
    from apprise import NotifyBase

# Services that show a message on this machine's screen, or write it to its log.
_LOCAL_SERVICES = frozenset({"dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "syslog"})
# Services with one central server, so that the URL names no host.
_CENTRAL_SERVICES = frozenset({"slack", "tgram", "discord", "pover"})
logging.getLogger("apprise").propagate = False
_STATUS = re.compile(r"error=(\d{3})\b")


def service_of(url: str) -> str:
    """Return the name of the service of a URL. Raises UsageError for an invalid URL."""
    return str(_plugin(url).service_name)


def send(url: str, title: str, text: str, *, internet_only: bool = False) -> str:
    """Send a message; return "", or one sentence with the reason for a failure.

    internet_only: refuse services whose URL names a host, because it may be in this machine's private network.
    """
    import apprise  # noqa: PLC0415 - see above

    plugin = _plugin(url)
    if internet_only and plugin.schema not in _CENTRAL_SERVICES:
        return f"{plugin.service_name} cannot be used here; take {', '.join(sorted(_CENTRAL_SERVICES))}."
    capture: Any = apprise.LogCapture
    with capture(level=logging.WARNING) as captured:
        delivered = plugin.notify(title=title, body=text)
        log_lines = captured.getvalue()
    if delivered:
        return ""
    status = _STATUS.search(log_lines)
    if status is None:
        return f"{plugin.service_name} could not be reached."
    return f"{plugin.service_name} answered with status {status[1]}."


def _plugin(url: str) -> "NotifyBase":
    from apprise import Apprise  # noqa: PLC0415 - see above

    scheme = url.partition("://")[0].lower()
    found: Any = (
        None if scheme in _LOCAL_SERVICES else Apprise.instantiate(url.strip(), suppress_exceptions=True)
    )
    if found is None:
        # The error does not show the URL: it may contain a token.
        raise UsageError(
            "This is no address of a messenger; write it as Apprise does, such as "
            "ntfy://topic or slack://TokenA/TokenB/TokenC."
        )
    plugin: NotifyBase = found
    return plugin
