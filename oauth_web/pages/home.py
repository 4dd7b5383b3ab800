"""The home page, which updates itself, and the liveness check."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.guard import may_become_owner, may_sign_in, open_to_all, welcome
from oauth_web.pages.chart import draw, weeks_until
from oauth_web.pages.notes import redirect_to
from oauth_web.pages.setup import checks, client_problem, may_write_client_file
from oauth_web.services import services
from oauth_web.texts.english import text
from oauth_web.texts.words import ago
from worker.block_list.listing import EVERYTHING
from worker.mailbox_pass.progress import Progress, under_way
from worker.operation.health import Health, health, status_of
from worker.owner.accounts import Account, State
from worker.sentences import Readable

WEEKS = 16
NEWEST = 5
_SHOWN_WITH_ACCOUNT = {"sign_in_again", "advice", "late"}

Kind = Literal["sign_in_again", "problem", "working", "waiting", "ok"]

_ORDER: tuple[Kind, ...] = ("sign_in_again", "problem", "working", "waiting", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """An account as the page shows it.

    kind ``waiting``: the first pass has not ended yet. progress: of the current pass. queued: mails not judged yet,
    counted by the account or the current pass.
    """

    account: Account
    kind: Kind
    problem: Readable | None
    queued: int
    progress: Progress | None


blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@open_to_all
def home() -> ResponseReturnValue:
    """Show the status; strangers see the sign-in."""
    if g.owner is None:
        return _welcome_page()
    app = services().app
    return render_template(
        "home.html", **_values(health(app, app.clock.now())), version=version("buyerblock")
    )


@blueprint.get("/live")
def live() -> ResponseReturnValue:
    """Return the content of the home page without its frame, for the update."""
    return render_template("live.html", **_values(services().health.get()))


@blueprint.post("/check")
def check_now() -> ResponseReturnValue:
    """Start a pass over every mailbox now."""
    services().app.jobs.restart()
    return redirect_to("home.home", text("home.checking"))


@blueprint.post("/silence-heard")
def silence_heard() -> ResponseReturnValue:
    """Hide the warning that an account gets no notices any more, until new ones come and stop; or show it again."""
    app, undo = services().app, "undo" in request.form
    account = app.accounts.get(request.form.get("account", ""))
    heard = None if undo or not account.notice_days else account.notice_days[-1]
    app.accounts.update(account.email, silence_heard=heard)
    if undo:
        return redirect_to("home.home", text("home.told_again"))
    again = ("home.silence_heard", {"account": account.email, "undo": "on"})
    return redirect_to("home.home", text("home.told_no_more"), again)


@blueprint.get("/healthz")
@open_to_all
def healthz() -> ResponseReturnValue:
    """Answer, so that monitors see that the process is alive."""
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}


def _values(found: Health) -> dict[str, object]:
    app, accounts = services().app, account_statuses()
    weeks = weeks_until(app.clock.now().date(), WEEKS)
    passes = [it.account.last_pass for it in accounts if it.account.last_pass]
    return {
        "accounts": accounts,
        "state": _state(accounts, found),
        "needs": len(found.problems) or 1,
        "checked": ago(min(passes)) if passes else "",
        # The account already shows these problems.
        "problems": [it for it in found.problems if it.kind not in _SHOWN_WITH_ACCOUNT],
        "blocked": len(app.block_list),
        "newest": app.block_list.listing.page(EVERYTHING, size=NEWEST).items,
        "chart": draw(weeks, app.block_list.listing.opt_outs_by_week(weeks[0])),
        "unfinished": any(set(it.values()) != {"done"} for it in checks().values()),
    }


def _state(accounts: list[AccountStatus], found: Health) -> str:
    """Return the status of all accounts in one word."""
    first = accounts[0].kind if accounts else "none"
    return "needs" if found.problems or first == "sign_in_again" else first


def _welcome_page() -> ResponseReturnValue:
    missing = client_problem()
    if missing and may_become_owner():
        if may_write_client_file():
            return redirect(url_for("setup.guide"), 303)
        return render_template("welcome.html", **welcome(), problem=missing)
    # Only those who may set up the program see the problem and the path of the client file.
    return render_template(
        "welcome.html", **welcome(), problem=text("error.closed") if missing and may_sign_in() else ""
    )


def account_statuses() -> list[AccountStatus]:
    """Return the accounts, those that need the seller first."""
    app = services().app
    found = [_status(account, under_way(account, app.clock.now())) for account in app.accounts.all()]
    return sorted(found, key=lambda it: _ORDER.index(it.kind))


def _status(account: Account, progress: Progress | None) -> AccountStatus:
    app = services().app
    state, problem = status_of(app, account, app.clock.now())
    return AccountStatus(
        account=account,
        kind=_kind(state, account, under_way=progress is not None),
        problem=problem,
        queued=max(account.queued, progress.total - progress.done) if progress else account.queued,
        progress=progress,
    )


def _kind(state: State, account: Account, *, under_way: bool) -> Kind:
    if state != "ok":
        return state
    if under_way:
        return "working"
    return "waiting" if account.last_pass is None else "ok"
