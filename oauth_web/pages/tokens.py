"""Tokens of the HTTP API: create, show once, revoke."""

from typing import cast

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import blame, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import UsageError
from worker.owner.tokens import Scope

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/settings/tokens")
def page() -> ResponseReturnValue:
    """Show the tokens."""
    tokens = [it for it in services().tokens.all() if it.scope != "download"]
    return render_template("settings_tokens.html", tokens=tokens)


@blueprint.post("/settings/tokens")
@redisplay("tokens.page")
def make() -> ResponseReturnValue:
    """Create a token and show it once.

    The response contains it: with a redirect it would have to be stored until the next request.
    """
    name, scope = " ".join(request.form.get("name", "").split()), request.form.get("scope")
    if scope not in ("read", "write"):
        raise UsageError(text("error.other"))
    with blame("name"):
        secret = services().tokens.create(name, cast(Scope, scope), now=services().app.clock.now())
    return render_template(
        "secret.html",
        title=text("tokens.made_title", name=name),
        lead=text("tokens.made"),
        secret=f"Authorization: Bearer {secret}",
    )


@blueprint.post("/settings/tokens/revoke")
def revoke() -> ResponseReturnValue:
    name = request.form.get("name", "")
    if not services().tokens.revoke(name):
        raise UsageError(text("tokens.none"))
    return redirect_to("tokens.page", text("tokens.revoked", name=name))
