"""The home page and its live part, and the machines' question whether we are alive."""

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from oauth_web.access.admission import may_become_owner, open_to_all, welcome
from oauth_web.pages.chart import draw, weeks_until
from oauth_web.pages.preflight import preflights
from oauth_web.pages.setup import is_ours, needs_client
from oauth_web.pages.standing import standings
from oauth_web.services import services
from worker.block_list.listing import EVERYTHING
from worker.operation.health import Problem, health

WEEKS = 16
NEWEST = 5
_WITH_ACCOUNT = {"sign_in_again", "advice"}

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    """Show how things stand; to strangers, the way in."""
    if g.owner is None:
        return _welcome()
    app = services().app
    weeks = weeks_until(app.clock.now().date(), WEEKS)
    chart = draw(weeks, app.block_list.listing.opt_outs_by_week(weeks[0]))
    return render_template(
        "home.html",
        **_live(),
        problems=_problems(),
        newest=app.block_list.listing.page(EVERYTHING, size=NEWEST).items,
        chart=chart,
        unfinished=any(not it.complete for it in preflights()),
    )


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """Return the part of the home page that changes by itself."""
    return render_template("live.html", **_live())


@blueprint.get("/healthz")
@open_to_all
def healthz() -> ResponseReturnValue:
    """Say that the process answers."""
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}


def _problems() -> list[Problem]:
    """Return what needs the owner, save what stands with the accounts anyway."""
    app = services().app
    return [it for it in health(app, app.clock.now()).problems if it.kind not in _WITH_ACCOUNT]


def _live() -> dict[str, object]:
    return {"standings": standings(), "blocked": len(services().app.block_list)}


def _welcome() -> ResponseReturnValue:
    shown, problem = welcome(), needs_client()
    if shown["needs_code"]:
        services().entry_code.offer()
        # First the code: what is wrong, and where files lie on the server, is for whoever has it.
        problem = ""
    elif problem and is_ours() and not services().owners.all() and may_become_owner():
        return redirect(url_for("setup.guide"), 303)
    return render_template("welcome.html", **shown, problem=problem)
