"""Check for a newer version when an owner asks."""

from importlib.metadata import version

from flask import Blueprint
from flask.typing import ResponseReturnValue

from oauth_web.pages.notes import redirect_to
from oauth_web.texts.english import text
from oauth_web.texts.languages import translated
from worker.errors import UsageError
from worker.operation.releases import newer_than

blueprint = Blueprint("releases", __name__)


@blueprint.post("/newer")
def look() -> ResponseReturnValue:
    """Report whether there is a newer version."""
    try:
        newer = newer_than(version("buyerblock"))
    except UsageError as error:
        return redirect_to("home.home", translated(error))
    return redirect_to("home.home", text("home.is_newer", version=newer) if newer else text("home.is_newest"))
