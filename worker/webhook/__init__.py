"""The webhook: sends every block, unblock and problem to an address of the user.

Promise: messages are signed, in order, at least once; retried for a day, then paused until a person resumes it; never
sent to a private network without permission. Changes have no queue of their own: the webhook stores its position among
the database's events, so that no committed change is missed. Problems wait in the table ``announcements``. Start
reading at ``delivery.py``.
"""

from worker.webhook.announcements import Announcements
from worker.webhook.delivery import deliver_due, send_test
from worker.webhook.hook import Webhook
from worker.webhook.message import Message

__all__ = ["Announcements", "Message", "Webhook", "deliver_due", "send_test"]
