"""The webhook: an address of the user's that is notified of every block and unblock, and of problems.

Promise: in order, at least once, signed; tried for a day while the other side is down, then kept until somebody
resumes it; never sent to a private network that the user has not allowed. Changes are not queued: the outbox is the
events of the database, and the webhook remembers its position among them, so a change that is stored cannot miss its
message. Problems wait in the table ``announcements``. Start reading at ``delivery.py``.
"""

from worker.webhook.announcements import Announcements
from worker.webhook.delivery import deliver_due, send_test
from worker.webhook.hook import Webhook
from worker.webhook.message import Message

__all__ = ["Announcements", "Message", "Webhook", "deliver_due", "send_test"]
