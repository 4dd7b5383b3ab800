"""What an owner does to the connected accounts."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import whole_number
from oauth_web.pages.notes import leave_note
from oauth_web.services import services
from oauth_web.texts import text

MOST_DAYS = 3650

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/disconnect")
def ask() -> ResponseReturnValue:
    """Ask once more before disconnecting, and say what stays."""
    account = services().app.accounts.get(request.args.get("account", ""))
    return render_template("disconnect.html", email=account.email, most_days=MOST_DAYS)


@blueprint.post("/disconnect")
def disconnect() -> ResponseReturnValue:
    """Disconnect an account; with ``undo`` our labels and filters go too, and notices go back to the inbox."""
    email = services().app.accounts.get(request.form.get("account", "")).email
    undo, days = "undo" in request.form, request.form.get("days_back", "").strip() or "0"
    days_back = whole_number(days, 0, MOST_DAYS, sentence="disconnect.bad_days") if undo else 0
    services().app.disconnect(email, undo=undo, days_back=days_back)
    leave_note(text("disconnect.done", email=email))
    return redirect(url_for("home.home"), 303)
