"""Messengers: Slack, Telegram, Discord, ntfy and all others that the library Apprise knows, by its addresses.

The library takes 30 MB of memory, so it is loaded when the first of them is used. Its own log lines may hold tokens:
they are caught, and only the status in them is passed on.
"""

import logging
import re
from typing import TYPE_CHECKING, Any

from worker.errors import UsageError

if TYPE_CHECKING:
    from apprise import NotifyBase

# They show a message on this machine's own screen, or write it into its log.
_LOCAL = frozenset({"dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "syslog"})
# Their addresses name no server: there is one for everybody.
_AT_ONE_PLACE = frozenset({"slack", "tgram", "discord", "pover"})
logging.getLogger("apprise").propagate = False
_STATUS = re.compile(r"error=(\d{3})\b")


def service_of(url: str) -> str:
    """Return the name of the service that an address belongs to. Raises UsageError for one that will not do."""
    return str(_plugin(url).service_name)


def send(url: str, title: str, text: str, *, internet_only: bool = False) -> str:
    """Send a message; return "" if it was taken, else one sentence that says why not.

    internet_only: to no service whose server the address names, since that may be in this machine's own network.
    """
    import apprise  # noqa: PLC0415 - see above

    plugin = _plugin(url)
    if internet_only and plugin.schema not in _AT_ONE_PLACE:
        return f"{plugin.service_name} cannot be used here; take {', '.join(sorted(_AT_ONE_PLACE))}."
    capture: Any = apprise.LogCapture
    with capture(level=logging.WARNING) as lines:
        taken = plugin.notify(title=title, body=text)
        said = lines.getvalue()
    if taken:
        return ""
    status = _STATUS.search(said)
    if status is None:
        return f"{plugin.service_name} could not be reached."
    return f"{plugin.service_name} answered with status {status[1]}."


def _plugin(url: str) -> "NotifyBase":
    from apprise import Apprise  # noqa: PLC0415 - see above

    scheme = url.partition("://")[0].lower()
    found: Any = None if scheme in _LOCAL else Apprise.instantiate(url.strip(), suppress_exceptions=True)
    if found is None:
        # Not the address itself: it may be nearly right, and hold a token.
        raise UsageError(
            "This is no address of a messenger; write it as Apprise does, such as "
            "ntfy://topic or slack://TokenA/TokenB/TokenC."
        )
    plugin: NotifyBase = found
    return plugin
