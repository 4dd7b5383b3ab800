"""Settings of each account and of the whole program, and disconnecting an account."""

import re
from dataclasses import replace

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.guard import by_owner
from oauth_web.pages.forms import FormError, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.services import services
from oauth_web.texts.english import text
from oauth_web.texts.languages import LANGUAGES
from oauth_web.texts.words import exactly
from worker import parsing
from worker.block_list import expiry
from worker.errors import UsageError
from worker.operation.health import expiring
from worker.owner.preferences import (
    MAX_DAYS,
    MAX_INTERVAL,
    MIN_DAYS,
    MIN_INTERVAL,
    change_preferences,
    read_preferences,
    sync_interval,
)

MAX_TRUSTED = 50
MAX_DAYS_BACK = 3650
# Seconds that the page offers, in addition to the current interval.
INTERVALS = (30, 60, 300, 900, 3600, 21_600)

blueprint = Blueprint("settings", __name__)


@blueprint.get("/settings")
def page() -> ResponseReturnValue:
    """Show the settings of an account, by default of the first one."""
    accounts = services().app.accounts
    asked, known = request.values.get("account"), accounts.all()
    account = accounts.get(asked) if asked else next(iter(known), None)
    return render_template("settings.html", account=account, accounts=known)


@blueprint.get("/settings/general")
def general() -> ResponseReturnValue:
    """Show the interval of passes, the language, and the expiry of blocks."""
    return render_template("settings_general.html", preferences=_preferences())


@blueprint.post("/settings/forwarding")
@redisplay("settings.page")
def forwarding() -> ResponseReturnValue:
    """Set the address to which filed notices are forwarded; empty for none."""
    email = _email()
    address = request.form.get("address", "").strip().lower()
    _update(email, forward_to=checked_address("address", address) if address else None)
    note = text("forwarding.saved" if address else "forwarding.off", email=email, address=address)
    return redirect_to("settings.page", note, account=email)


@blueprint.post("/settings/reading")
def reading() -> ResponseReturnValue:
    """Set whether filed notices are marked as read."""
    email, mark_read = _email(), "mark_read" in request.form
    _update(email, mark_read=mark_read)
    note = text("reading.on" if mark_read else "reading.off", email=email)
    return redirect_to("settings.page", note, account=email)


@blueprint.post("/settings/trusted")
@redisplay("settings.page")
def trusted() -> ResponseReturnValue:
    """Set the trusted forwarders, one address per line."""
    email = _email()
    _update(email, trusted=_entries(parsing.ADDRESS))
    return redirect_to("settings.page", text("trusted.saved", email=email), account=email)


@blueprint.post("/settings/redirectors")
@redisplay("settings.page")
def redirectors() -> ResponseReturnValue:
    """Set the trusted redirectors, one address or domain per line."""
    email = _email()
    _update(email, redirectors=_entries(parsing.ADDRESS_OR_DOMAIN))
    return redirect_to("settings.page", text("redirectors.saved", email=email), account=email)


@blueprint.post("/settings/interval")
@redisplay("settings.general")
def save_interval() -> ResponseReturnValue:
    """Set the seconds between two passes, effective now."""
    given = request.form.get("seconds", "").strip()
    seconds = _number("seconds", given, MIN_INTERVAL, MAX_INTERVAL, sentence="interval.bad")
    app = services().app
    change_preferences(app.database, lambda it: replace(it, sync_interval=seconds))
    app.jobs.restart()
    return redirect_to("settings.general", text("interval.saved", span=exactly(seconds)), _anchor="interval")


@blueprint.post("/settings/language")
def save_language() -> ResponseReturnValue:
    """Set the language of the page; empty for the browser's language."""
    if (chosen := request.form.get("language", "")) not in ("", *LANGUAGES):
        raise UsageError(text("error.other"))
    change_preferences(services().app.database, lambda it: replace(it, language=chosen))
    g.pop("language", None)
    return redirect_to("settings.general", text("language.saved"))


@blueprint.post("/settings/expiry")
@redisplay("settings.general")
def save_expiry() -> ResponseReturnValue:
    """Set the number of days after which blocks expire; empty for never."""
    given = request.form.get("days", "").strip()
    days = _number("days", given, MIN_DAYS, MAX_DAYS, sentence="expiry.bad") if given else None
    change_preferences(services().app.database, lambda it: replace(it, expire_after_days=days))
    note = text("expiry.never") if days is None else text("expiry.saved", days=days)
    return redirect_to("settings.general", note, _anchor="expiry")


@blueprint.post("/settings/expiry/now")
def expire_now() -> ResponseReturnValue:
    """Expire blocks after confirmation: they are too many for automatic expiry."""
    app = services().app
    found = expiring(app)
    # The user confirmed this number; it may have changed.
    if found is None or str(found.count) != request.form.get("count"):
        raise UsageError(text("expiry.changed"))
    expiry.expire(app.database, found, by=by_owner(), at=app.clock.now())
    return redirect_to("settings.general", text("expiry.done", count=found.count), _anchor="expiry")


@blueprint.post("/settings/expiry/undo")
def undo_expiry() -> ResponseReturnValue:
    """Undo expiry, and switch it off: else the same blocks would expire again at once."""
    app = services().app
    with app.database.together():
        change_preferences(app.database, lambda it: replace(it, expire_after_days=None))
        count = expiry.undo(app.database, by=by_owner(), at=app.clock.now())
    return redirect_to("settings.general", text("expiry.undone", count=count), _anchor="expiry")


@blueprint.get("/disconnect")
def ask_to_disconnect() -> ResponseReturnValue:
    """Ask for confirmation before disconnecting, and show what stays."""
    account = services().app.accounts.get(request.values.get("account", ""))
    return render_template("disconnect.html", email=account.email, most_days=MAX_DAYS_BACK)


@blueprint.post("/disconnect")
@redisplay("settings.ask_to_disconnect")
def disconnect() -> ResponseReturnValue:
    """Disconnect an account; ``undo`` also removes our labels and filters, and moves notices back to the inbox."""
    email = services().app.accounts.get(request.form.get("account", "")).email
    undo, days = "undo" in request.form, request.form.get("days_back", "").strip() or "0"
    days_back = _number("days_back", days, 0, MAX_DAYS_BACK, sentence="disconnect.bad_days") if undo else 0
    services().app.disconnect(email, undo=undo, days_back=days_back)
    return redirect_to("home.home", text("disconnect.done", email=email))


def _preferences() -> dict[str, object]:
    """Return the current settings and the possible choices."""
    app = services().app
    interval, preferences = sync_interval(app.settings, app.database), read_preferences(app.database)
    return {
        "days": preferences.expire_after_days,
        "language": preferences.language,
        "languages": LANGUAGES,
        "fewest": MIN_DAYS,
        "most": MAX_DAYS,
        "expiring": expiring(app),
        "expired": expiry.expired(app.database),
        "interval": interval,
        "intervals": sorted({*INTERVALS, interval}),
    }


def _number(field: str, given: str, least: int, most: int, *, sentence: str) -> int:
    """Return the number in a field. Raises FormError. sentence: the key of a text with the fields least and most."""
    if (number := parsing.whole_number(given, least, most)) is None:
        raise FormError(text(sentence, least=least, most=most), field=field)
    return number


def _entries(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Return the distinct lines of the field ``addresses`` in lower case. Raises FormError."""
    lines = [line.strip().lower() for line in request.form.get("addresses", "").splitlines()]
    entries = tuple(dict.fromkeys(checked_address("addresses", line, pattern) for line in lines if line))
    if len(entries) > MAX_TRUSTED:
        raise FormError(text("trusted.too_many", most=MAX_TRUSTED), field="addresses")
    return entries


def _update(email: str, **changes: object) -> None:
    app = services().app
    app.accounts.update(email, **changes)
    app.settings_changed(email)


def _email() -> str:
    return services().app.accounts.get(request.form.get("account", "")).email


def checked_address(field: str, address: str, pattern: re.Pattern[str] = parsing.ADDRESS) -> str:
    """Return the address. Raises FormError of this field if it does not match the pattern."""
    if not pattern.fullmatch(address):
        raise FormError(text("error.address", address=address[:100]), field=field)
    return address
