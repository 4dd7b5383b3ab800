"""Mails that a person has to decide about."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.english import text
from oauth_web.guard import by_owner
from oauth_web.pages.notes import leave_note
from oauth_web.services import services
from worker.block_list.review import ReviewItem, sighting_of
from worker.errors import UsageError
from worker.mailbox_pass.decisions import Decision
from worker.notices.doubts import Doubt

blueprint = Blueprint("review", __name__)

SHOWN = 100
# By which field of the account somebody is trusted, if that is all that is missing.
_TRUSTED_AS = {Doubt.FORWARDED_BY_STRANGER: "trusted", Doubt.REDIRECTED: "redirectors"}


@blueprint.get("/review")
def page() -> ResponseReturnValue:
    """Show the mails that wait, newest first."""
    review = services().app.review
    return render_template(
        "review.html",
        items=review.items(SHOWN),
        total=len(review),
        forwarder_of=forwarder_of,
    )


@blueprint.post("/review")
def decide() -> ResponseReturnValue:
    """Block, dismiss or trust what was ticked, or the one mail whose button was pressed."""
    action, _, only = request.form.get("action", "").partition(" ")
    chosen = [only] if only else request.form.getlist("item")
    found = [item for item in map(services().app.review.get, chosen) if item is not None]
    if not found:
        raise UsageError(text("review.none_chosen"))
    if action not in _ACTIONS:
        raise UsageError(text("error.other"))
    leave_note(_ACTIONS[action](found))
    return redirect(url_for("review.page"), 303)


def _block(items: list[ReviewItem]) -> str:
    """Block the buyers of these mails, which count as genuine notices now."""
    named = [item for item in items if item.address or item.order_id]
    block_list = services().app.block_list
    if named:
        block_list.record(
            [
                sighting_of(it, account=it.account, message_id=it.gmail_id, received_at=it.received_at)
                for it in named
            ]
        )
        # An earlier unblocking outweighs an old notice, but not the owner's word of now.
        block_list.block([item.address or str(item.order_id) for item in named], by=by_owner())
    _done(named, "blocked")
    if len(named) < len(items):
        return text("review.blocked_some", count=len(named), left=len(items) - len(named))
    return text("review.blocked", count=len(named))


def _dismiss(items: list[ReviewItem]) -> str:
    _done(items, "dismissed")
    return text("review.dismissed", count=len(items))


def _trust(items: list[ReviewItem]) -> str:
    """Trust from now on who forwarded or redirected these mails, which are judged once more."""
    app = services().app
    passed_on = [item for item in items if forwarder_of(item)]
    if not passed_on:
        raise UsageError(text("review.nobody_to_trust"))
    for item in passed_on:
        field = _TRUSTED_AS[item.reason.doubt]
        known = getattr(app.accounts.get(item.account), field)
        app.accounts.update(item.account, **{field: tuple(dict.fromkeys((*known, forwarder_of(item))))})
    for email in sorted({item.account for item in passed_on}):
        app.settings_changed(email)
    app.decided(passed_on, "again")
    return text("review.trusted", people=", ".join(sorted(set(map(forwarder_of, passed_on)))))


_ACTIONS = {"block": _block, "dismiss": _dismiss, "trust": _trust}


def forwarder_of(item: ReviewItem) -> str:
    """Return who forwarded or redirected a mail and could be trusted, "" if that is not what is wrong with it.

    The header From may name somebody else, or be forged, so only the judge's word counts.
    """
    return item.reason.address if item.reason.doubt in _TRUSTED_AS else ""


def _done(items: list[ReviewItem], decision: Decision) -> None:
    app = services().app
    for item in items:
        app.review.dismiss(item.id)
    app.decided(items, decision)
