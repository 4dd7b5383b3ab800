"""Copies of the list: at home files that are rewritten after every change, and addresses to fetch it from."""

from typing import get_args

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import reading, shown_again
from oauth_web.pages.notes import go_on
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
    """Show the addresses, and at home the files and what is wrong with them."""
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
@shown_again("copies.page")
def make_address() -> ResponseReturnValue:
    """Make an address that holds a token, and show it, for the only time."""
    chosen, app = chosen_format(), services().app
    with reading("address_name"):
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
    """Make an address useless."""
    name = request.form.get("name", "")
    if not services().tokens.revoke(name, scope="download"):
        raise UsageError(text("notifications.gone"))
    return go_on("copies.page", text("copies.address_revoked", name=name))


def chosen_format() -> str:
    """Return the format that was chosen. Raises UsageError."""
    if (chosen := request.form.get("format", "")) not in FORMATS:
        raise UsageError(text("error.other"))
    return chosen
