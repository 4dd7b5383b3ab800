"""What an owner prefers for the whole program: how often it looks, and after how many days blocks expire."""

from dataclasses import replace

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import whole_number
from oauth_web.pages.notes import leave_note
from oauth_web.services import services
from oauth_web.texts import text
from oauth_web.words import exactly
from worker.owner.preferences import (
    MAX_DAYS,
    MAX_INTERVAL,
    MIN_DAYS,
    MIN_INTERVAL,
    change_preferences,
    read_preferences,
    sync_interval,
)

blueprint = Blueprint("preferences", __name__)

# Seconds that the page offers; the interval of now is offered besides.
INTERVALS = (30, 60, 300, 900, 3600, 21_600)


@blueprint.post("/settings/interval")
def save_interval() -> ResponseReturnValue:
    """Set the seconds between two passes; they hold at once."""
    given = request.form.get("seconds", "").strip()
    seconds = whole_number(given, MIN_INTERVAL, MAX_INTERVAL, sentence="interval.bad")
    app = services().app
    change_preferences(app.database, lambda it: replace(it, sync_interval=seconds))
    app.scheduler.restart_jobs()
    leave_note(text("interval.saved", span=exactly(seconds)))
    return redirect(url_for("settings.page"), 303)


@blueprint.post("/settings/expiry")
def save_expiry() -> ResponseReturnValue:
    """Set after how many days; empty for never."""
    given = request.form.get("days", "").strip()
    days = whole_number(given, MIN_DAYS, MAX_DAYS, sentence="expiry.bad") if given else None
    change_preferences(services().app.database, lambda it: replace(it, expire_after_days=days))
    leave_note(text("expiry.never") if days is None else text("expiry.saved", days=days))
    return redirect(url_for("settings.page"), 303)


def preferences_shown() -> dict[str, object]:
    """Return what the settings show: the numbers of now, and what can be chosen."""
    app = services().app
    interval = sync_interval(app.settings, app.database)
    return {
        "days": read_preferences(app.database).expire_after_days,
        "fewest": MIN_DAYS,
        "most": MAX_DAYS,
        "interval": interval,
        "intervals": sorted({*INTERVALS, interval}),
    }
