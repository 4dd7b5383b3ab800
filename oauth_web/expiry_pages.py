"""After how many days blocks expire."""

from dataclasses import replace

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.notes import leave_note
from oauth_web.services import services
from oauth_web.texts import text
from worker.errors import UsageError
from worker.preferences import FEWEST_DAYS, MOST_DAYS, change_preferences, read_preferences

blueprint = Blueprint("expiry_pages", __name__)


@blueprint.post("/settings/expiry")
def save() -> ResponseReturnValue:
    """Set after how many days; empty for never."""
    given = request.form.get("days", "").strip()
    days = _days(given) if given else None
    directory = services().app.settings.data_dir
    change_preferences(directory, lambda it: replace(it, expire_after_days=days))
    leave_note(text("expiry.never") if days is None else text("expiry.saved", days=days))
    return redirect(url_for("settings_pages.page"), 303)


def expiry_shown() -> dict[str, int | None]:
    """Return what the settings show: the number of now, and the limits."""
    preferences = read_preferences(services().app.settings.data_dir)
    return {"days": preferences.expire_after_days, "fewest": FEWEST_DAYS, "most": MOST_DAYS}


def _days(given: str) -> int:
    if not given.isdecimal() or len(given) > 9 or not FEWEST_DAYS <= int(given) <= MOST_DAYS:
        raise UsageError(text("expiry.bad", fewest=FEWEST_DAYS, most=MOST_DAYS))
    return int(given)
