"""The page of settings, and what an owner may set for each account."""

import re

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.pages.notes import leave_note
from oauth_web.pages.preferences import preferences_shown
from oauth_web.pages.webhook import webhook_shown
from oauth_web.services import services
from oauth_web.texts import text
from worker.errors import UsageError
from worker.operation.backup_file import MIN_PASSPHRASE

MOST_TRUSTED = 50
_ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]+\.[^\s@<>,;\".]{2,}")

blueprint = Blueprint("settings", __name__)


@blueprint.get("/settings")
def page() -> ResponseReturnValue:
    """Show the settings of every account, and those of the whole program."""
    app = services().app
    return render_template(
        "settings.html",
        accounts=app.accounts.all(),
        preferences=preferences_shown(),
        tokens=services().tokens.all(),
        webhook=webhook_shown(),
        shortest_passphrase=MIN_PASSPHRASE,
    )


@blueprint.post("/settings/forwarding")
def forwarding() -> ResponseReturnValue:
    """Set where tidied notices go as well; empty for nowhere."""
    email = _account()
    address = request.form.get("address", "").strip().lower()
    app = services().app
    app.accounts.update(email, forward_to=_checked(address) if address else None)
    app.settings_changed(email)
    leave_note(text("forwarding.saved" if address else "forwarding.off", email=email, address=address))
    return redirect(url_for("settings.page"), 303)


@blueprint.post("/settings/trusted")
def trusted() -> ResponseReturnValue:
    """Set whose forwarded notices are believed, one address a line."""
    email = _account()
    lines = [line.strip().lower() for line in request.form.get("addresses", "").splitlines()]
    addresses = tuple(dict.fromkeys(_checked(line) for line in lines if line))
    if len(addresses) > MOST_TRUSTED:
        raise UsageError(text("trusted.too_many", most=MOST_TRUSTED))
    app = services().app
    app.accounts.update(email, trusted=addresses)
    app.settings_changed(email)
    leave_note(text("trusted.saved", email=email))
    return redirect(url_for("settings.page"), 303)


def _account() -> str:
    return services().app.accounts.get(request.form.get("account", "")).email


def _checked(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise UsageError(text("error.address", address=address[:100]))
    return address
