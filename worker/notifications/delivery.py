"""Deliver queued notifications. If a success could not be stored, the message is sent again."""

import hashlib
import logging
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from worker.app import App
from worker.database import format_time, parse_time
from worker.errors import BuyerblockError
from worker.events import fields
from worker.notifications import messengers
from worker.notifications.destinations import Destination, Destinations
from worker.notifications.queue import Notification, Queue

MAX_BATCH = 50  # per destination, so that stopping the program does not wait for a long queue

log = logging.getLogger(__name__)


def notify_due(app: App, destinations: Destinations, queue: Queue) -> int:
    """Deliver the queues of all due destinations, in order; return the number of delivered messages.

    Removes destinations whose mailbox was disconnected. Calls must not overlap. Raises StorageError.
    """
    queue.drop_old(app.clock.now())
    connected = {"", *(account.email for account in app.accounts.all())}
    delivered = 0
    for it in destinations.all():
        if it.account not in connected:
            destinations.remove(it.id)
        elif it.is_due(app.clock.now()):
            delivered += _deliver(app, it, destinations, queue)
    return delivered


def _deliver(app: App, destination: Destination, destinations: Destinations, queue: Queue) -> int:
    delivered = 0
    for notification in queue.waiting(destination.id, limit=MAX_BATCH):
        problem = _send(app, destination, notification)
        if problem or destination.failures:
            before, destination = destination, destination.after_try(problem, app.clock.now())
            destinations.update(before, destination)
        if problem:
            about = fields(destination=destination.name, failures=destination.failures)
            log.warning("A notification was not taken: %s", problem, extra=about)
            break
        queue.remove(destination.id, notification)
        delivered += 1
    return delivered


def send_test(app: App, destination: Destination) -> str:
    """Send a test message; return "", or one sentence with the reason for a failure."""
    time = format_time(app.clock.now())
    text = "This is a test. Problems, and the summary of the week, will arrive here."
    test = Notification(id=f"test-{time}", title="buyerblock: a test", text=text, at=time)
    return _send(app, destination, test)


def _send(app: App, destination: Destination, notification: Notification) -> str:
    try:
        if destination.url:
            title, text = notification.title, notification.text
            return messengers.send(destination.url, title, text, internet_only=app.shared)
        raw, message_id = _mail(destination.account, notification)
        app.passes.mailbox(destination.account).put_in_inbox(raw, message_id)
    except BuyerblockError as error:
        return str(error)
    return ""


def _mail(email: str, notification: Notification) -> tuple[bytes, str]:
    """Return a mail from the owner to the owner, and its Message-ID, which depends only on the notification's ID."""
    message_id = f"{hashlib.sha256(notification.id.encode()).hexdigest()[:32]}@buyerblock.invalid"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"buyerblock <{email}>"
    mail["To"] = email
    mail["Subject"] = notification.title
    mail["Date"] = format_datetime(parse_time(notification.at))
    mail["Message-ID"] = f"<{message_id}>"
    mail.set_content(notification.text)
    return mail.as_bytes(), message_id
