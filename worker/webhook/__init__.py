"""The webhook: an address of the user's that is told of every block and unblock, and of problems.

Promise: in order, at least once, signed; tried for a day while the other side is down, then kept until somebody
resumes it; never sent to a private network that the user has not allowed. Changes are not queued apart: their outbox
is the block list's own audit trail, and ``webhook.json`` remembers how far it was told, so a change
that is on the disk cannot miss its message. Problems are: ``announcements.json``. Start reading at ``delivery.py``.
"""

from worker.webhook.announcements import Announcement, Announcements
from worker.webhook.delivery import deliver_due, try_out
from worker.webhook.hook import Hook, Place, Webhook, standing

__all__ = ["Announcement", "Announcements", "Hook", "Place", "Webhook", "deliver_due", "standing", "try_out"]
