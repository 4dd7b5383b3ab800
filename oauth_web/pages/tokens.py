"""Tokens of the HTTP API: made, shown once, revoked."""

from typing import cast

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import reading, shown_again
from oauth_web.pages.notes import go_on
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import UsageError
from worker.owner.tokens import Scope

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/settings/tokens")
def page() -> ResponseReturnValue:
    """Show which programs may ask."""
    tokens = [it for it in services().tokens.all() if it.scope != "download"]
    return render_template("settings_tokens.html", tokens=tokens)


@blueprint.post("/settings/tokens")
@shown_again("tokens.page")
def make() -> ResponseReturnValue:
    """Make a token and show it, for the only time.

    It is in the answer itself. A redirect would have to keep it somewhere until the next page asks.
    """
    name, scope = " ".join(request.form.get("name", "").split()), request.form.get("scope")
    if scope not in ("read", "write"):
        raise UsageError(text("error.other"))
    with reading("name"):
        secret = services().tokens.create(name, cast(Scope, scope), now=services().app.clock.now())
    return render_template(
        "secret.html",
        title=text("tokens.made_title", name=name),
        lead=text("tokens.made"),
        secret=f"Authorization: Bearer {secret}",
    )


@blueprint.post("/settings/tokens/revoke")
def revoke() -> ResponseReturnValue:
    """Make a token useless."""
    name = request.form.get("name", "")
    if not services().tokens.revoke(name):
        raise UsageError(text("tokens.none"))
    return go_on("tokens.page", text("tokens.revoked", name=name))
