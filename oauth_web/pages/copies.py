"""Copies of the list: URLs for downloads, and in a single-seller program files that follow every change."""

from typing import get_args

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import blame, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.block_list.formats.exports import FORMATS
from worker.block_list.model import Reason
from worker.errors import UsageError
from worker.notices.amazon import MARKETPLACES
from worker.publish import Copies

blueprint = Blueprint("copies", __name__)


@blueprint.get("/settings/copies")
def page() -> ResponseReturnValue:
    """Show the URLs, and in a single-seller program the files with their problems."""
    app = services().app
    return render_template(
        "settings_copies.html",
        copies=Copies(app.database).all(),
        addresses=[it for it in services().tokens.all() if it.scope == "download"],
        formats=FORMATS.values(),
        accounts=[it.email for it in app.accounts.all()],
        marketplaces=[it.domain for it in MARKETPLACES],
        reasons=get_args(Reason),
    )


@blueprint.post("/settings/copies/address")
@redisplay("copies.page")
def make_address() -> ResponseReturnValue:
    """Create a URL that contains a token, and show it once."""
    chosen, app = chosen_format(), services().app
    with blame("address_name"):
        name = request.form.get("address_name", "")
        secret = services().tokens.create(name, "download", now=app.clock.now())
    return render_template(
        "secret.html",
        title=text("copies.address_title"),
        lead=text("copies.address_made"),
        secret=f"{(app.settings.public_url or app.settings.own_url).rstrip('/')}/blocks.{chosen}?token={secret}",
    )


@blueprint.post("/settings/copies/revoke")
def revoke() -> ResponseReturnValue:
    """Revoke the token of a URL."""
    name = request.form.get("name", "")
    if not services().tokens.revoke(name, scope="download"):
        raise UsageError(text("removed_already"))
    return redirect_to("copies.page", text("copies.address_revoked", name=name))


def chosen_format() -> str:
    """Return the format of the form. Raises UsageError."""
    if (chosen := request.form.get("format", "")) not in FORMATS:
        raise UsageError(text("error.other"))
    return chosen
