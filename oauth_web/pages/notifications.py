"""Destinations of notifications and of the weekly summary: mailboxes and messengers."""

from dataclasses import replace

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import blame, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.services import services
from oauth_web.texts.english import text
from oauth_web.texts.languages import locale
from worker.errors import StorageError, UsageError
from worker.notifications import send_test
from worker.owner.preferences import change_preferences, read_preferences
from worker.parsing import whole_number

MAX_ADDRESS = 2000  # characters

blueprint = Blueprint("notifications", __name__)


@blueprint.get("/settings/notifications")
def page() -> ResponseReturnValue:
    """Show the destinations, or why they cannot be read."""
    app = services().app
    try:
        shown: dict[str, object] = {"destinations": services().destinations.all()}
    except StorageError as error:
        shown = {"destinations": [], "damage": error}
    names = locale().days["stand-alone"]["wide"]
    return render_template(
        "settings_notifications.html",
        mailboxes=[account.email for account in app.accounts.all()],
        summary_day=read_preferences(app.database).summary_day,
        days=[names[number] for number in range(7)],
        **shown,
    )


@blueprint.post("/settings/notifications/mailbox")
@redisplay("notifications.page")
def add_mailbox() -> ResponseReturnValue:
    """Add a connected mailbox."""
    with blame("email"):
        account = services().app.accounts.get(request.form.get("email", ""))
        added = services().destinations.add_mailbox(account.email)
    return redirect_to("notifications.page", text("notifications.added", name=added.name))


@blueprint.post("/settings/notifications/messenger")
@redisplay("notifications.page")
def add_messenger() -> ResponseReturnValue:
    """Add a messenger."""
    with blame("url"):
        added = services().destinations.add_messenger(request.form.get("url", "").strip()[:MAX_ADDRESS])
    return redirect_to("notifications.page", text("notifications.added", name=added.name))


@blueprint.post("/settings/notifications/test")
def test() -> ResponseReturnValue:
    """Send a test message and report the result."""
    destination = services().destinations.get(request.form.get("id", ""))
    problem = send_test(services().app, destination)
    name = destination.name
    note = text("notifications.not_taken", name=name, problem=problem) if problem else None
    return redirect_to("notifications.page", note or text("notifications.taken", name=name))


@blueprint.post("/settings/notifications/remove")
def remove() -> ResponseReturnValue:
    """Remove a destination."""
    if not services().destinations.remove(request.form.get("id", "")):
        raise UsageError(text("removed_already"))
    return redirect_to("notifications.page", text("notifications.removed"))


@blueprint.post("/settings/notifications/day")
def save_day() -> ResponseReturnValue:
    """Set the day of the weekly summary; empty for none."""
    day = whole_number(request.form.get("day", ""), 0, 6)
    change_preferences(services().app.database, lambda it: replace(it, summary_day=day))
    return redirect_to("notifications.page", text("notifications.day_saved"))
