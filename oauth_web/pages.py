"""The home page and its live part, and the machines' question whether we are alive."""

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from oauth_web.admission import open_to_all, welcome
from oauth_web.client_file import read_client_file
from oauth_web.services import services
from oauth_web.standing import standings
from worker.errors import SettingsError

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    """Show how things stand; to strangers, the way in."""
    if g.owner is None:
        return _welcome()
    return render_template("home.html", **_live(), problems=services().app.block_list.problems())


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """Return the part of the home page that changes by itself."""
    return render_template("live.html", **_live())


@blueprint.get("/healthz")
@open_to_all
def healthz() -> ResponseReturnValue:
    """Say that the process answers."""
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}


def _live() -> dict[str, object]:
    return {"standings": standings(), "blocked": len(services().app.block_list)}


def _welcome() -> ResponseReturnValue:
    shown = welcome()
    if shown["needs_code"]:
        services().entry_code.offer()
    problem = ""
    try:
        read_client_file(services().app.settings.client_secrets)
    except SettingsError as error:
        problem = str(error)
    return render_template("welcome.html", **shown, problem=problem)
