"""Sign in with Google, and out again."""

import logging
import secrets
from datetime import datetime, timedelta

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.access.client_file import Client, check_redirect, read_client_file
from oauth_web.access.consent import ConsentError, UntickedError, consent_url, redeem
from oauth_web.access.consent import refused as refused_by_google
from oauth_web.access.sessions import OWNER
from oauth_web.english import text
from oauth_web.errors import error_page, told
from oauth_web.guard import (
    ADMITTED,
    browser,
    may_become_owner,
    may_sign_in,
    open_to_all,
    visitor,
    welcome,
)
from oauth_web.pages.notes import leave_note
from oauth_web.services import services
from worker.errors import GmailError, SettingsError
from worker.gmail.credentials import Grant, revoke

log = logging.getLogger(__name__)

blueprint = Blueprint("sign_in", __name__)

MAX_PENDING = 3  # visits to Google of one browser, in tabs side by side
MAX_AWAY = timedelta(minutes=10)
_PENDING = "at_google"


class _NotLetInError(ConsentError):
    """We, or the user, said no. status: of the answer."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@blueprint.get("/sign-in")
@open_to_all
def start() -> ResponseReturnValue:
    """Send the browser to Google's consent page."""
    if not may_sign_in():
        return render_template("welcome.html", **welcome()), 403
    if g.owner is None and services().sign_in_limit.wait(visitor()):
        return error_page(429, text("error.429"))
    try:
        client = _client_for_this_page()
    except SettingsError as error:
        return error_page(503, told(error))
    state = secrets.token_urlsafe(32)
    url, verifier = consent_url(client, redirect_uri(), state=state, hint=_hint())
    _remember(state, verifier)
    return redirect(url)


@blueprint.get("/start/<secret>")
@open_to_all
def admit(secret: str) -> ResponseReturnValue:
    """Admit the browser that opens the link from the server's terminal."""
    if request.method == "HEAD":  # somebody looks whether the link leads anywhere
        abort(405)
    if g.owner is None and not may_become_owner():
        opened = services().start_link.open(secret)
        if opened != "right":
            return render_template("welcome.html", **welcome(), problem=text(f"link.{opened}")), 403
        browser().restart()
        browser()[ADMITTED] = True
    return redirect(url_for("home.home"), 303)


@blueprint.get("/oauth2/callback")
@open_to_all
def callback() -> ResponseReturnValue:
    """Take Google's answer: connect the mailbox, and let its owner in."""
    sent_back_to, verifier = _recall(request.args.get("state", ""))
    code = _code()
    client = read_client_file(services().app.settings.client_secrets)
    grant = redeem(client, sent_back_to, code=code, verifier=verifier)
    email, former = services().app.address_of(grant)
    # Our filters show that it is the mailbox of before: enough to keep its account, not to let a visitor in.
    if g.owner is not None or may_become_owner():
        services().app.recognise(grant)
        _follow(email)
    if g.owner is None and not _becomes_or_is_owner(email):
        _give_back(former or email, grant)
        if former is not None:
            services().start_link.show()
        raise _NotLetInError(
            text("sign_in.renamed" if former else "sign_in.stranger", email=email), status=403
        )
    return _connect(email, grant)


@blueprint.errorhandler(UntickedError)
def unticked(error: UntickedError) -> ResponseReturnValue:
    """Say which box was left unticked, and what it is for."""
    return render_template("unticked.html", missing=error.missing), 403


@blueprint.errorhandler(ConsentError)
def refused(error: ConsentError) -> ResponseReturnValue:
    """Say in one sentence why there is no sign-in, with a button to try again."""
    status = error.status if isinstance(error, _NotLetInError) else 502
    return render_template("refused.html", message=error), status


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, at the server."""
    browser().restart()
    return redirect(url_for("home.home"), 303)


def redirect_uri() -> str:
    """Return where Google sends the browser back to: the public address, or the one on this machine in use."""
    base = services().app.settings.public_url or f"{request.scheme}://{request.host}"
    return f"{base}/oauth2/callback"


def _remember(state: str, verifier: str) -> None:
    """Keep in the browser's session what its way to Google needs when it comes back, of the last few such ways."""
    session = browser()
    kept = list(session.get(_PENDING, {}).items())[1 - MAX_PENDING :]
    session[_PENDING] = {
        **dict(kept),
        state: (redirect_uri(), verifier, services().app.clock.now().isoformat()),
    }


def _recall(state: str) -> tuple[str, str]:
    """Return the redirect URI and the verifier of a way to Google, once. Raises _NotLetInError."""
    session = browser()
    pending = dict(session.get(_PENDING, {}))
    found = pending.pop(state, None)
    session[_PENDING] = pending
    if found is None or services().app.clock.now() - datetime.fromisoformat(found[2]) > MAX_AWAY:
        raise _NotLetInError(text("sign_in.stale"), status=400)
    return found[0], found[1]


def _client_for_this_page() -> Client:
    client = read_client_file(services().app.settings.client_secrets)
    if client.kind == "installed":
        # A Web application's addresses may have changed in the console since the file was made; a Desktop app's cannot.
        check_redirect(client, redirect_uri())
    return client


def _hint() -> str | None:
    """Return the connected account that the user wants to sign in again, to offer it first at Google."""
    asked = request.args.get("account", "")
    known = [account.email for account in services().app.accounts.all()] if g.owner else []
    return asked if asked in known else None


def _code() -> str:
    """Return the code that Google's answer carries. Raises ConsentError when it carries a refusal."""
    refusal = request.args.get("error")
    if refusal == "access_denied":
        raise _NotLetInError(text("sign_in.denied"), status=403)
    if refusal is not None:
        raise refused_by_google(refusal, request.args.get("error_description"))
    if not (code := request.args.get("code", "")):
        raise _NotLetInError(text("sign_in.stale"), status=400)
    return code


def _follow(email: str) -> None:
    """Let an owner whose Google account has a new address go on with that, in this session too."""
    formerly = {it.email: it.formerly for it in services().app.accounts.all()}.get(email, ())
    services().owners.follow(email, formerly)
    if g.owner in formerly:
        browser()[OWNER] = email


def _becomes_or_is_owner(email: str) -> bool:
    owners = services().owners
    if not owners.all() and may_become_owner():
        return owners.claim(email)
    return email in owners.all()


def _give_back(email: str, grant: Grant) -> None:
    """Give up what a stranger granted. Revoking would also end the grant of an account that an owner connected."""
    log.warning("A Google account that does not own the page tried to sign in and was refused.")
    if any(account.email == email for account in services().app.accounts.all()):
        return
    try:
        revoke(grant, services().app.settings.revoke_url)
    except GmailError as error:
        log.warning("A stranger's permission was dropped, but could not be given back: %s", error)


def _connect(email: str, grant: Grant) -> ResponseReturnValue:
    services().app.connect(grant)
    if g.owner is None:
        browser().restart()
        browser()[OWNER] = email
    leave_note(text("sign_in.connected", email=email))
    return redirect(url_for("home.home"), 303)
