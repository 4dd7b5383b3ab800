"""The guide for the first run: create an OAuth client in Google's console and upload its file."""

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed

from oauth_web.access.client_file import (
    check_google,
    check_redirect,
    parse_client,
    read_client_file,
)
from oauth_web.access.security import requested_host
from oauth_web.guard import ADMITTED, browser, may_become_owner, open_to_all, welcome
from oauth_web.pages.attempts import redirect_uri
from oauth_web.pages.forms import blame, redisplay
from oauth_web.services import services
from oauth_web.texts.english import text
from oauth_web.texts.languages import translated
from worker.errors import SettingsError
from worker.files import write_atomically
from worker.gmail.wanted import LABELS
from worker.owner.accounts import Account
from worker.parsing import is_loopback
from worker.problems import Cause

CONSOLE = {
    "project": "https://console.cloud.google.com/projectcreate",
    "api": "https://console.cloud.google.com/apis/library/gmail.googleapis.com",
    "consent": "https://console.cloud.google.com/auth/overview",
    "audience": "https://console.cloud.google.com/auth/audience",
    "client": "https://console.cloud.google.com/auth/clients/create",
}
SELLER_CENTRAL = "https://sellercentral.amazon.com/notifications/preferences"

blueprint = Blueprint("setup", __name__)


@blueprint.get("/start/<secret>")
@open_to_all
def admit(secret: str) -> ResponseReturnValue:
    """Admit a browser that opens the link from the server's terminal."""
    if request.method == "HEAD":  # a link preview must not use up the link
        raise MethodNotAllowed(["GET", "OPTIONS"])
    link = services().start_link
    if g.owner is None and not may_become_owner() and link is not None:
        opened = link.open(secret)
        if opened != "right":
            return render_template("welcome.html", **welcome(), problem=text(f"link.{opened}")), 403
        browser().restart()
        browser()[ADMITTED] = True
    return redirect(url_for("home.home"), 303)


@blueprint.get("/setup")
@open_to_all
def guide() -> ResponseReturnValue:
    """Show the guide and its progress to owners, or to the person who may become the first owner."""
    if not _may_set_up():
        return redirect(url_for("home.home"), 303)
    return render_template(
        "setup.html",
        console=CONSOLE,
        seller_central=SELLER_CENTRAL,
        redirect_uri=redirect_uri(),
        at_home=is_loopback(requested_host()) and services().app.settings.public_url is None,
        ours=may_write_client_file(),
        missing=client_problem(),
        checks=checks() if g.owner else {},
    )


@blueprint.post("/setup")
@open_to_all
@redisplay("setup.guide")
def take_client() -> ResponseReturnValue:
    """Check and store the uploaded or pasted client file."""
    if not _may_set_up() or not may_write_client_file():
        abort(403)
    upload = request.files.get("file")
    uploaded = upload.read() if upload is not None and upload.filename else None
    content = request.form.get("text", "").encode() if uploaded is None else uploaded
    with blame("text" if uploaded is None else "file"):
        client = parse_client(content, name=text("setup.this"))
        check_google(client)
        check_redirect(client, redirect_uri())
    write_atomically(services().app.settings.client_secrets, content)
    return redirect(url_for("home.home"), 303)


def may_write_client_file() -> bool:
    """Return whether the client file is in the data directory; a file elsewhere belongs to the administrator."""
    settings = services().app.settings
    return settings.client_secrets.parent == settings.data_dir


def client_problem() -> str:
    """Return one sentence about a problem of the client file, "" for none. With a problem nobody can sign in."""
    try:
        read_client_file(services().app.settings.client_secrets)
    except SettingsError as error:
        return translated(error)
    return ""


def checks() -> dict[str, dict[str, str]]:
    """Return the state of each step of the set-up, by account: ``done``, ``open`` or ``bad``."""
    return {account.email: _checks(account) for account in services().app.accounts.all()}


def _checks(account: Account) -> dict[str, str]:
    has_rules = set(LABELS) <= set(account.labels) and bool(account.filter_ids)
    switched_off = account.problem is not None and account.problem.cause is Cause.API_OFF
    has_notices = services().app.block_list.listing.has_notices(account.email)
    return {
        "api": "bad" if switched_off else "done",
        "scopes": "bad" if account.state == "sign_in_again" else "done",
        "rules": "done" if has_rules else "open",
        "pass": "done" if account.last_good_pass is not None else "open",
        "notices": "done" if has_notices else "open",
    }


def _may_set_up() -> bool:
    return g.owner is not None or (not services().owners.emails() and may_become_owner())
