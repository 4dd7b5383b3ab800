"""Notifications: messages to the owner, in a mailbox or by a messenger.

Promise: each problem once when it began and once when it is over, and on one day of the week a summary, if there is
anything to say. Every destination has a queue of its own (``queue.py``): one that is away for a while gets its
messages later, in order, and delays nobody else. Start reading at ``delivery.py``.
"""

from worker.notifications.delivery import notify_due, send_test
from worker.notifications.destinations import Destination, Destinations
from worker.notifications.queue import Notification, Queue

__all__ = ["Destination", "Destinations", "Notification", "Queue", "notify_due", "send_test"]
