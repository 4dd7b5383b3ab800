"""What an owner does to the connected accounts."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.notes import leave_note
from oauth_web.services import services
from oauth_web.texts import text

blueprint = Blueprint("account_pages", __name__)


@blueprint.get("/disconnect")
def ask() -> ResponseReturnValue:
    """Ask once more before disconnecting, and say what stays."""
    account = services().app.accounts.get(request.args.get("account", ""))
    return render_template("disconnect.html", email=account.email)


@blueprint.post("/disconnect")
def disconnect() -> ResponseReturnValue:
    """Disconnect an account; with ``undo`` our labels and filters go too."""
    email = services().app.accounts.get(request.form.get("account", "")).email
    services().app.disconnect(email, undo="undo" in request.form)
    leave_note(text("disconnect.done", email=email))
    return redirect(url_for("pages.home"), 303)
