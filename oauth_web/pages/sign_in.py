"""Sign in with Google, and sign out."""

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
from oauth_web.pages.attempts import AccessDeniedError, redirect_uri, store_attempt, take_attempt
from oauth_web.pages.notes import set_note
from oauth_web.services import sellers, services
from oauth_web.texts.english import text
from worker.errors import GmailError, SettingsError, UsageError
from worker.gmail.credentials import Grant, revoke

log = logging.getLogger(__name__)

_QUESTION = "asked"  # key in a stranger's session, which is encrypted: the name of the pending grant

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@open_to_all
def start() -> ResponseReturnValue:
    """Redirect to Google's consent page. The argument ``only``: ask for the identity, not for the mailbox."""
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
    store_attempt(state, verifier, hint, mailbox=mailbox)
    return redirect(url)


@blueprint.get("/oauth2/callback")
@open_to_all
def callback() -> ResponseReturnValue:
    """Handle Google's redirect: sign the owner in and connect the mailbox."""
    attempt = take_attempt(request.args.get("state", ""))
    if attempt is None:  # a reload after the sign-in
        return redirect(url_for("home.home"), 303)
    g.again = {"account": attempt.account, "only": None if attempt.mailbox else 1}
    code = _code()
    client = read_client_file(services().app.settings.client_secrets)
    if not attempt.mailbox:
        email = identify(client, attempt.redirect_uri, code=code, verifier=attempt.verifier)
        return _ask_for_seller(email, None) or _sign_in(email)
    grant = redeem(client, attempt.redirect_uri, code=code, verifier=attempt.verifier)
    email, former = services().app.address_of(grant)
    # Our filters prove that it is a known mailbox with a new address: enough to keep its account, not to sign in.
    if _may_change() or may_become_owner():
        services().app.recognise(grant)
        _change_email(email)
    if question := _ask_for_seller(email, grant):
        return question
    if g.owner is None and not _admit(email):
        log.warning("A Google account that does not own the page tried to sign in and was refused.")
        _revoke(former or email, grant)
        if former is not None and (link := services().start_link) is not None:
            link.show()
        raise AccessDeniedError(_refusal(email, renamed=former is not None), status=403)
    return _sign_in_with_mailbox(email, grant, attempt.account)


@blueprint.post("/join")
@open_to_all
def join() -> ResponseReturnValue:
    """Handle the answer to the question of ``_ask_for_seller``."""
    email, grant = _take(browser().pop(_QUESTION, ""), session_id=_QUESTION)
    chosen = request.form.get("seller", "")
    if chosen and _admit(email, chosen):
        if grant is not None:
            return _sign_in_with_mailbox(email, grant)
        _start_session(email)
        return _continue()
    if grant is not None:
        _revoke(email, grant)
    set_note(text("invited.left"))
    return _continue()


@blueprint.post("/connect")
def connect() -> ResponseReturnValue:
    """Handle the answer to the question whether to connect the mailbox of a sign-in."""
    email, grant = _take(request.form.get("name", ""), session_id=browser().id)
    assert grant is not None  # noqa: S101 - the question is only asked with a grant
    if "yes" in request.form:
        return _connect(email, grant)
    _revoke(email, grant)
    set_note(text("connect.dropped", email=email))
    return _continue()


@blueprint.errorhandler(UntickedError)
def unticked(error: UntickedError) -> ResponseReturnValue:
    """Show which box was left unticked, and its purpose."""
    return render_template("unticked.html", missing=error.missing), 403


@blueprint.errorhandler(ConsentError)
def refused(error: ConsentError) -> ResponseReturnValue:
    """Show why the sign-in failed, with a button to try again."""
    status = error.status if isinstance(error, AccessDeniedError) else 502
    return render_template("refused.html", message=error), status


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session on the server."""
    browser().restart()
    return redirect(url_for("home.home"), 303)


def _client_for_this_page() -> Client:
    client = read_client_file(services().app.settings.client_secrets)
    if client.kind == "installed":
        # Only for a Desktop app: the URIs of a Web application may have changed in the console since the download.
        check_redirect(client, redirect_uri())
    return client


def _hint() -> str | None:
    """Return the connected account that should sign in again, for Google's login hint."""
    question = request.args.get("account", "")
    known = [account.email for account in services().app.accounts.all()] if g.owner else []
    return question if question in known else None


def _code() -> str:
    """Return the code in Google's redirect. Raises ConsentError for a refusal."""
    refusal = request.args.get("error")
    if refusal == "access_denied":
        raise AccessDeniedError(text("sign_in.denied"), status=403)
    if refusal is not None:
        raise refusal_error(refusal, request.args.get("error_description"))
    if not (code := request.args.get("code", "")):
        raise AccessDeniedError(text("sign_in.stale"), status=400)
    return code


def _change_email(email: str) -> None:
    """Replace the former address of an owner whose Google account has a new one, in this session too."""
    former_emails = {it.email: it.formerly for it in services().app.accounts.all()}.get(email, ())
    services().owners.change_email(email, former_emails)
    if g.owner in former_emails:
        browser()[OWNER] = g.owner = email


def _ask_for_seller(email: str, grant: Grant | None) -> ResponseReturnValue | None:
    """Ask an invited stranger which seller's list they want. Until the answer, no seller gets their data."""
    if g.owner is not None or not (choices := sellers().choices(email)):
        return None
    browser()[_QUESTION] = secrets.token_urlsafe(32)
    _store(browser()[_QUESTION], email, grant, session_id=_QUESTION)
    return render_template("invited.html", email=email, choices=choices)


def _store(name: str, email: str, grant: Grant | None, *, session_id: str) -> None:
    """Store the address and the grant until the user answers."""
    stored = {"email": email, "sealed": services().app.sealer.seal(orjson.dumps(grant).decode())}
    services().pending_grants.add(name, stored, session_id=session_id)


def _take(name: str, *, session_id: str) -> tuple[str, Grant | None]:
    """Remove and return the stored address and grant. Raises UsageError if there are none."""
    found = services().pending_grants.take(name, session_id=session_id)
    if found is None:
        raise UsageError(text("connect.stale"))
    grant = orjson.loads(services().app.sealer.unseal(found["sealed"]))
    return found["email"], grant and Grant(**grant)


def _admit(email: str, chosen: str = "") -> bool:
    """Return whether this Google account is an owner, or becomes the first; set the seller of the request."""
    if (found := sellers().admit(email, chosen)) is None:
        return False
    g.services, owners = found, found.owners
    if not owners.emails() and (found.start_link is None or may_become_owner()):
        return owners.claim(email)
    return email in owners.emails()


def _refusal(email: str, *, renamed: bool) -> str:
    """Return why a sign-in with a mailbox is refused."""
    if services().start_link is None:
        return text("sign_in.closed", email=email)
    return text("sign_in.renamed", email=email) if renamed else text("sign_in.stranger", email=email)


def _revoke(email: str, grant: Grant) -> None:
    """Revoke an unused grant, unless the mailbox is connected: revoking would end that grant too."""
    if sellers().is_connected(email):
        return
    try:
        revoke(grant, services().app.settings.revoke_url)
    except GmailError as error:
        log.warning("A permission was dropped, but could not be given back: %s", error)


def _sign_in(email: str) -> ResponseReturnValue:
    """Sign in without connecting the mailbox."""
    if g.owner is None and not _admit(email):
        key = "sign_in.closed" if services().start_link is None else "sign_in.not_listed"
        raise AccessDeniedError(text(key, email=email), status=403)
    _start_session(email)
    return _continue()


def _sign_in_with_mailbox(email: str, grant: Grant, account: str | None = None) -> ResponseReturnValue:
    """Sign in, and connect the mailbox or ask whether to connect it; an owner who only reads cannot connect one.

    account: the account that had to sign in again.
    """
    requested = g.owner is not None and account is None
    _start_session(email)
    if not _may_change():
        _revoke(email, grant)
        return _continue()
    connected = [it.email for it in services().app.accounts.all()]
    # Ask otherwise: invited persons may not expect that other owners see their mail.
    first = not connected and services().owners.emails() == {email}
    if requested or first or email in connected:
        return _connect(email, grant)
    name = secrets.token_urlsafe(32)
    _store(name, email, grant, session_id=browser().id)
    return render_template("connect.html", name=name, email=email, account=account)


def _start_session(email: str) -> None:
    """Start an owner's session, unless the browser is signed in already."""
    if g.owner is None:
        place = browser().get(PLACE)
        browser().restart(services().session_prefix)
        browser().update({OWNER: email, PLACE: place})
        g.owner = email
        services().owners.accept_invitation(email)
        g.only_reads = not _may_change()


def _may_change() -> bool:
    """Return whether a full owner is signed in."""
    owner = services().owners.get(g.owner or "")
    return owner is not None and owner.role is Role.FULL


def _connect(email: str, grant: Grant) -> ResponseReturnValue:
    """Connect the mailbox; with a new one its person may also sign in."""
    known = {it.email for it in services().app.accounts.all()}
    services().app.connect(grant)
    if email not in known:
        services().owners.add_account(email, of=g.owner)
    set_note(text("sign_in.connected", email=email))
    return _continue()


def _continue() -> ResponseReturnValue:
    """Redirect to the page that was requested before the sign-in, or home."""
    return redirect(browser().pop(PLACE, None) or url_for("home.home"), 303)
