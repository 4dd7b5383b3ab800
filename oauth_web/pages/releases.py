"""Whether there is a newer version, for an owner who asks."""

from importlib.metadata import version

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from oauth_web.english import text
from oauth_web.languages import translated
from oauth_web.pages.notes import leave_note
from worker.errors import UsageError
from worker.operation.releases import newer_than

blueprint = Blueprint("releases", __name__)


@blueprint.post("/newer")
def look() -> ResponseReturnValue:
    """Say whether there is a newer version."""
    try:
        newer = newer_than(version("buyerblock"))
    except UsageError as error:
        leave_note(translated(error))
    else:
        leave_note(text("home.is_newer", version=newer) if newer else text("home.is_newest"))
    return redirect(url_for("home.home"), 303)
