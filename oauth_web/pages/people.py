"""The owners: show, add and remove them."""

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.access.owners import Role
from oauth_web.pages.forms import FormError, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.pages.settings import checked_address
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import UsageError

blueprint = Blueprint("people", __name__)


@blueprint.get("/settings/people")
def page() -> ResponseReturnValue:
    """Show the owners and their roles."""
    owners = services().owners
    return render_template("settings_people.html", people=owners.by_person(), me=owners.get(g.owner))


@blueprint.post("/settings/people")
@redisplay("people.page")
def add() -> ResponseReturnValue:
    """Add an owner, who may then sign in with Google."""
    email = checked_address("email", request.form.get("email", "").strip().lower())
    role = request.form.get("role")
    if role not in set(Role):
        raise UsageError(text("error.other"))
    if not services().owners.add(email, Role(role), by=g.owner):
        raise FormError(text("people.known", email=email), field="email")
    return redirect_to("people.page", text("people.added", email=email))


@blueprint.post("/settings/people/remove")
def remove() -> ResponseReturnValue:
    """Remove an owner and end their sessions."""
    email = request.form.get("email", "")
    me = services().owners.get(g.owner)
    if me is not None and email in {me.email, me.person}:
        raise UsageError(text("people.not_yourself"))
    if not (gone := services().owners.remove(email)):
        raise UsageError(text("people.last"))
    services().sessions.end_all_of(gone)
    return redirect_to("people.page", text("people.removed", email=", ".join(sorted(gone))))
