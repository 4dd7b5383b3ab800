"""Sign in with Google, and out again."""

import logging
import secrets

import orjson
from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.access.client_file import Client, check_redirect, read_client_file
from oauth_web.access.consent import ConsentError, UntickedError, consent_url, identify, redeem, refusal_error
from oauth_web.access.owners import Role
from oauth_web.access.sessions import OWNER
from oauth_web.errors import error_page, error_text
from oauth_web.guard import (
    PLACE,
    browser,
    may_become_owner,
    may_sign_in,
    open_to_all,
    visitor,
    welcome,
)
from oauth_web.pages.attempts import NotLetInError, recall, redirect_uri, remember
from oauth_web.pages.notes import leave_note
from oauth_web.services import sellers, services
from oauth_web.texts.english import text
from worker.errors import GmailError, SettingsError, UsageError
from worker.gmail.credentials import Grant, revoke

log = logging.getLogger(__name__)

_ASKED = "asked"  # in a stranger's session, which is sealed: the name of what waits for the answer

blueprint = Blueprint("sign_in", __name__)


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
        return error_page(503, error_text(error))
    state = secrets.token_urlsafe(32)
    hint, mailbox = _hint(), "only" not in request.args
    url, verifier = consent_url(client, redirect_uri(), state=state, hint=hint, mailbox=mailbox)
    remember(state, verifier, hint, mailbox=mailbox)
    return redirect(url)


@blueprint.get("/oauth2/callback")
@open_to_all
def callback() -> ResponseReturnValue:
    """Take Google's answer: let its owner in, and connect the mailbox."""
    attempt = recall(request.args.get("state", ""))
    if attempt is None:  # a reload, of a browser that is signed in by now
        return redirect(url_for("home.home"), 303)
    g.again = {"account": attempt.account, "only": None if attempt.mailbox else 1}
    code = _code()
    client = read_client_file(services().app.settings.client_secrets)
    if not attempt.mailbox:
        email = identify(client, attempt.redirect_uri, code=code, verifier=attempt.verifier)
        return _asked_for_list(email, None) or _identified(email)
    grant = redeem(client, attempt.redirect_uri, code=code, verifier=attempt.verifier)
    email, former = services().app.address_of(grant)
    # Our filters show that it is the mailbox of before: enough to keep its account, not to let a visitor in.
    if _may_change() or may_become_owner():
        services().app.recognise(grant)
        _follow(email)
    if asked := _asked_for_list(email, grant):
        return asked
    if g.owner is None and not _becomes_or_is_owner(email):
        log.warning("A Google account that does not own the page tried to sign in and was refused.")
        _give_back(former or email, grant)
        if former is not None and (link := services().start_link) is not None:
            link.show()
        raise NotLetInError(_refusal(email, renamed=former is not None), status=403)
    return _with_mailbox(email, grant, attempt.account)


@blueprint.post("/join")
@open_to_all
def join() -> ResponseReturnValue:
    """Take the answer of somebody who was asked whose list they want; they have entered none yet."""
    email, grant = _taken(browser().pop(_ASKED, ""), session_id=_ASKED)
    chosen = request.form.get("seller", "")
    if chosen and _becomes_or_is_owner(email, chosen):
        if grant is not None:
            return _with_mailbox(email, grant)
        _enter(email)
        return _onwards()
    if grant is not None:
        _give_back(email, grant)
    leave_note(text("invited.left"))
    return _onwards()


@blueprint.post("/connect")
def connect() -> ResponseReturnValue:
    """Take the answer to the question whether to connect a mailbox that somebody has signed in with."""
    email, grant = _taken(request.form.get("name", ""), session_id=browser().id)
    assert grant is not None  # noqa: S101 - none is asked about without one
    if "yes" in request.form:
        return _connect(email, grant)
    _give_back(email, grant)
    leave_note(text("connect.dropped", email=email))
    return _onwards()


@blueprint.errorhandler(UntickedError)
def unticked(error: UntickedError) -> ResponseReturnValue:
    """Say which box was left unticked, and what it is for."""
    return render_template("unticked.html", missing=error.missing), 403


@blueprint.errorhandler(ConsentError)
def refused(error: ConsentError) -> ResponseReturnValue:
    """Say in one sentence why there is no sign-in, with a button to try again."""
    status = error.status if isinstance(error, NotLetInError) else 502
    return render_template("refused.html", message=error), status


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session, at the server."""
    browser().restart()
    return redirect(url_for("home.home"), 303)


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
        raise NotLetInError(text("sign_in.denied"), status=403)
    if refusal is not None:
        raise refusal_error(refusal, request.args.get("error_description"))
    if not (code := request.args.get("code", "")):
        raise NotLetInError(text("sign_in.stale"), status=400)
    return code


def _follow(email: str) -> None:
    """Let an owner whose Google account has a new address go on with that, in this session too."""
    formerly = {it.email: it.formerly for it in services().app.accounts.all()}.get(email, ())
    services().owners.change_email(email, formerly)
    if g.owner in formerly:
        browser()[OWNER] = g.owner = email


def _asked_for_list(email: str, grant: Grant | None) -> ResponseReturnValue | None:
    """Ask a stranger whom others have let in whose list they want; until the answer nobody gets anything of theirs."""
    if g.owner is not None or not (choices := sellers().choices(email)):
        return None
    browser()[_ASKED] = secrets.token_urlsafe(32)
    _leave(browser()[_ASKED], email, grant, session_id=_ASKED)
    return render_template("invited.html", email=email, choices=choices)


def _leave(name: str, email: str, grant: Grant | None, *, session_id: str) -> None:
    """Keep who is asked a question, and the permission, until the answer."""
    left = {"email": email, "sealed": services().app.sealer.seal(orjson.dumps(grant).decode())}
    services().pending_grants.add(name, left, session_id=session_id)


def _taken(name: str, *, session_id: str) -> tuple[str, Grant | None]:
    """Return what was kept for an answer, once. Raises UsageError."""
    found = services().pending_grants.take(name, session_id=session_id)
    if found is None:
        raise UsageError(text("connect.stale"))
    grant = orjson.loads(services().app.sealer.unseal(found["sealed"]))
    return found["email"], grant and Grant(**grant)


def _becomes_or_is_owner(email: str, chosen: str = "") -> bool:
    """Return whether this Google account may enter; on a host the request goes on for its seller."""
    if (found := sellers().admit(email, chosen)) is None:
        return False
    g.services, owners = found, found.owners
    if not owners.emails() and (found.start_link is None or may_become_owner()):
        return owners.claim(email)
    return email in owners.emails()


def _refusal(email: str, *, renamed: bool) -> str:
    """Return why somebody is not let in who would have given us a mailbox."""
    if services().start_link is None:
        return text("sign_in.closed", email=email)
    return text("sign_in.renamed", email=email) if renamed else text("sign_in.stranger", email=email)


def _give_back(email: str, grant: Grant) -> None:
    """Give up what is not used of a grant. Revoking would also end the grant of an account that an owner connected."""
    if sellers().is_connected(email):
        return
    try:
        revoke(grant, services().app.settings.revoke_url)
    except GmailError as error:
        log.warning("A permission was dropped, but could not be given back: %s", error)


def _identified(email: str) -> ResponseReturnValue:
    """Let somebody in whose mailbox is none of our business."""
    if g.owner is None and not _becomes_or_is_owner(email):
        key = "sign_in.closed" if services().start_link is None else "sign_in.not_listed"
        raise NotLetInError(text(key, email=email), status=403)
    _enter(email)
    return _onwards()


def _with_mailbox(email: str, grant: Grant, account: str | None = None) -> ResponseReturnValue:
    """Let an owner in, and connect the mailbox if that is what they want: whoever only reads may not.

    account: the one that was to sign in again.
    """
    wanted = g.owner is not None and account is None
    _enter(email)
    if not _may_change():
        _give_back(email, grant)
        return _onwards()
    connected = [it.email for it in services().app.accounts.all()]
    # Somebody who was let in by others may not expect that these get to see the mailbox.
    first = not connected and services().owners.emails() == {email}
    if wanted or first or email in connected:
        return _connect(email, grant)
    name = secrets.token_urlsafe(32)
    _leave(name, email, grant, session_id=browser().id)
    return render_template("connect.html", name=name, email=email, account=account)


def _enter(email: str) -> None:
    """Sign this owner in, unless the browser is signed in already."""
    if g.owner is None:
        place = browser().get(PLACE)
        browser().restart(services().session_prefix)
        browser().update({OWNER: email, PLACE: place})
        g.owner = email
        services().owners.accept_invitation(email)
        g.only_reads = not _may_change()


def _may_change() -> bool:
    """Return whether somebody is signed in who may do more than read."""
    owner = services().owners.get(g.owner or "")
    return owner is not None and owner.role is Role.FULL


def _connect(email: str, grant: Grant) -> ResponseReturnValue:
    """Connect the mailbox; one that is new may be used to sign in by the person who connected it."""
    known = {it.email for it in services().app.accounts.all()}
    services().app.connect(grant)
    if email not in known:
        services().owners.add_account(email, of=g.owner)
    leave_note(text("sign_in.connected", email=email))
    return _onwards()


def _onwards() -> ResponseReturnValue:
    """Go to the page that was asked for before the sign-in, once, or home."""
    return redirect(browser().pop(PLACE, None) or url_for("home.home"), 303)
