"""Notifications to the owner, by mail or messenger.

Promise: one message when a problem begins and one when it ends, and a weekly summary if there is any news. Every
destination has its own queue (``queue.py``): an unavailable destination gets its messages later, in order, and does not
delay the others. Start reading at ``delivery.py``.
"""

from worker.notifications.delivery import notify_due, send_test
from worker.notifications.destinations import Destination, Destinations
from worker.notifications.queue import Notification, Queue

__all__ = ["Destination", "Destinations", "Notification", "Queue", "notify_due", "send_test"]
