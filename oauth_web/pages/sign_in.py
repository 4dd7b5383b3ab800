"""Sign in with Google, and out again."""

import logging
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import MethodNotAllowed

from oauth_web.access.client_file import Client, check_redirect, read_client_file
from oauth_web.access.consent import ConsentError, UntickedError, consent_url, identify, redeem
from oauth_web.access.consent import refused as refused_by_google
from oauth_web.access.owners import Role
from oauth_web.access.sessions import OWNER
from oauth_web.english import text
from oauth_web.errors import error_page, told
from oauth_web.guard import (
    ADMITTED,
    PLACE,
    browser,
    may_become_owner,
    may_sign_in,
    open_to_all,
    visitor,
    welcome,
)
from oauth_web.pages.notes import leave_note
from oauth_web.services import services
from worker.errors import GmailError, SettingsError, UsageError
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """A way to Google, kept in the browser's session until it comes back.

    mailbox: whether Google is asked for the mailbox. account: the one that was to sign in again. place: the page of
    ours to show then.
    """

    redirect_uri: str
    verifier: str
    since: str
    mailbox: bool
    account: str | None
    place: str | None


@blueprint.get("/sign-in")
@open_to_all
def start() -> ResponseReturnValue:
    """Send the browser to Google's consent page. ``only``: ask who it is, and for no mailbox."""
    if not may_sign_in():
        return render_template("welcome.html", **welcome()), 403
    if g.only_reads:
        return error_page(403, text("people.only_reads"))
    if g.owner is None and services().sign_in_limit.wait(visitor()):
        return error_page(429, text("error.429"))
    try:
        client = _client_for_this_page()
    except SettingsError as error:
        return error_page(503, told(error))
    state = secrets.token_urlsafe(32)
    hint, mailbox = _hint(), "only" not in request.args
    url, verifier = consent_url(client, redirect_uri(), state=state, hint=hint, mailbox=mailbox)
    _remember(state, verifier, hint, mailbox=mailbox)
    return redirect(url)


@blueprint.get("/start/<secret>")
@open_to_all
def admit(secret: str) -> ResponseReturnValue:
    """Admit the browser that opens the link from the server's terminal."""
    if request.method == "HEAD":  # somebody looks whether the link leads anywhere
        raise MethodNotAllowed(["GET", "OPTIONS"])
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
    """Take Google's answer: let its owner in, and connect the mailbox."""
    attempt = _recall(request.args.get("state", ""))
    if attempt is None:  # a reload, of a browser that is signed in by now
        return redirect(url_for("home.home"), 303)
    code = _code()
    client = read_client_file(services().app.settings.client_secrets)
    if not attempt.mailbox:
        return _identified(
            identify(client, attempt.redirect_uri, code=code, verifier=attempt.verifier), attempt
        )
    grant = redeem(client, attempt.redirect_uri, code=code, verifier=attempt.verifier)
    email, former = services().app.address_of(grant)
    # Our filters show that it is the mailbox of before: enough to keep its account, not to let a visitor in.
    if _may_change() or may_become_owner():
        services().app.recognise(grant)
        _follow(email)
    if g.owner is None and not _becomes_or_is_owner(email):
        _give_back(former or email, grant)
        if former is not None:
            services().start_link.show()
        raise _NotLetInError(
            text("sign_in.renamed" if former else "sign_in.stranger", email=email), status=403
        )
    return _with_mailbox(email, grant, attempt)


@blueprint.post("/connect")
def connect() -> ResponseReturnValue:
    """Take the answer to the question whether to connect a mailbox that somebody has signed in with."""
    found = services().pending_grants.take(request.form.get("name", ""), session_id=browser().id)
    if found is None:
        raise UsageError(text("connect.stale"))
    email, grant, place = found
    if "yes" in request.form:
        return _connect(email, grant, place)
    _give_back(email, grant)
    leave_note(text("connect.dropped", email=email))
    return _onwards(place)


@blueprint.errorhandler(UntickedError)
def unticked(error: UntickedError) -> ResponseReturnValue:
    """Say which box was left unticked, and what it is for."""
    return render_template("unticked.html", missing=error.missing), 403


@blueprint.errorhandler(ConsentError)
def refused(error: ConsentError) -> ResponseReturnValue:
    """Say in one sentence why there is no sign-in, with a button to try again."""
    status = error.status if isinstance(error, _NotLetInError) else 502
    return render_template("refused.html", message=str(error)), status


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, at the server."""
    browser().restart()
    return redirect(url_for("home.home"), 303)


def redirect_uri() -> str:
    """Return where Google sends the browser back to: the public address, or the one on this machine in use."""
    base = services().app.settings.public_url or f"{request.scheme}://{request.host}"
    return f"{base}/oauth2/callback"


def _remember(state: str, verifier: str, account: str | None, *, mailbox: bool) -> None:
    """Keep in the browser's session what its way to Google needs when it comes back, of the last few such ways."""
    session = browser()
    kept = list(session.get(_PENDING, {}).items())[1 - MAX_PENDING :]
    attempt = _Attempt(
        redirect_uri=redirect_uri(),
        verifier=verifier,
        since=services().app.clock.now().isoformat(),
        mailbox=mailbox,
        account=account,
        place=session.get(PLACE),
    )
    session[_PENDING] = {**dict(kept), state: asdict(attempt)}


def _recall(state: str) -> _Attempt | None:
    """Return a way to Google, once; None if it is not known to a browser that is signed in. Raises _NotLetInError."""
    session = browser()
    pending = dict(session.get(_PENDING, {}))
    found = pending.pop(state, None)
    session[_PENDING] = pending
    if found is None and g.owner is not None:
        return None
    attempt = _Attempt(**found) if found is not None else None
    if attempt is None or services().app.clock.now() - datetime.fromisoformat(attempt.since) > MAX_AWAY:
        raise _NotLetInError(text("sign_in.stale"), status=400)
    return attempt


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


def _identified(email: str, attempt: _Attempt) -> ResponseReturnValue:
    """Let somebody in whose mailbox is none of our business."""
    if g.owner is None and services().owners.get(email) is None:
        raise _NotLetInError(text("sign_in.not_listed", email=email), status=403)
    _enter(email)
    return _onwards(attempt.place)


def _with_mailbox(email: str, grant: Grant, attempt: _Attempt) -> ResponseReturnValue:
    """Let an owner in, and connect the mailbox if that is what they want: whoever only reads may not."""
    wanted = g.owner is not None and attempt.account is None
    _enter(email)
    if not _may_change():
        _give_back(email, grant)
        return _onwards(attempt.place)
    connected = [it.email for it in services().app.accounts.all()]
    if wanted or not connected or email in connected:
        return _connect(email, grant, attempt.place)
    name = secrets.token_urlsafe(32)
    services().pending_grants.add(name, (email, grant, attempt.place), session_id=browser().id)
    return render_template("connect.html", name=name, email=email, account=attempt.account)


def _enter(email: str) -> None:
    """Sign this owner in, unless the browser is signed in already."""
    if g.owner is None:
        browser().restart()
        browser()[OWNER] = g.owner = email
        g.only_reads = not _may_change()


def _may_change() -> bool:
    """Return whether somebody is signed in who may do more than read."""
    owner = services().owners.get(g.owner or "")
    return owner is not None and owner.role is Role.FULL


def _connect(email: str, grant: Grant, place: str | None) -> ResponseReturnValue:
    """Connect the mailbox; one that is new may be used to sign in by the person who connected it."""
    known = {it.email for it in services().app.accounts.all()}
    services().app.connect(grant)
    if email not in known:
        services().owners.add_account(email, of=g.owner)
    leave_note(text("sign_in.connected", email=email))
    return _onwards(place)


def _onwards(place: str | None) -> ResponseReturnValue:
    return redirect(place or url_for("home.home"), 303)
