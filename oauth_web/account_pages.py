"""What an owner does to the connected accounts."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.notes import leave_note
from oauth_web.services import services
from oauth_web.texts import text
from worker.errors import UsageError

MOST_DAYS = 3650

blueprint = Blueprint("account_pages", __name__)


@blueprint.get("/disconnect")
def ask() -> ResponseReturnValue:
    """Ask once more before disconnecting, and say what stays."""
    account = services().app.accounts.get(request.args.get("account", ""))
    return render_template("disconnect.html", email=account.email, most_days=MOST_DAYS)


@blueprint.post("/disconnect")
def disconnect() -> ResponseReturnValue:
    """Disconnect an account; with ``undo`` our labels and filters go too, and notices go back to the inbox."""
    email = services().app.accounts.get(request.form.get("account", "")).email
    undo = "undo" in request.form
    services().app.disconnect(email, undo=undo, days_back=_days_back() if undo else 0)
    leave_note(text("disconnect.done", email=email))
    return redirect(url_for("pages.home"), 303)


def _days_back() -> int:
    given = request.form.get("days_back", "").strip() or "0"
    # isdecimal() lets through what int() takes, such as digits of other scripts, and no sign.
    if not given.isdecimal() or len(given) > 9 or int(given) > MOST_DAYS:
        raise UsageError(text("disconnect.bad_days", most=MOST_DAYS))
    return int(given)
