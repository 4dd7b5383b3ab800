"""Mails that a person has to decide about."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.access.guard import by_owner
from oauth_web.english import text
from oauth_web.pages.notes import leave_note
from oauth_web.services import services
from worker.block_list.review import ReviewItem, sighting_of
from worker.errors import UsageError
from worker.mailbox_pass.decisions import Decision
from worker.notices.doubts import Doubt

blueprint = Blueprint("review", __name__)

SHOWN = 100


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
    """Trust the people who forwarded these mails from now on; their mails are judged once more."""
    app = services().app
    accounts = app.accounts
    people = {(item.account, person) for item in items if (person := forwarder_of(item))}
    if not people:
        raise UsageError(text("review.nobody_to_trust"))
    for email, person in sorted(people):
        account = accounts.get(email)
        if person not in account.trusted:
            accounts.update(email, trusted=(*account.trusted, person))
    for email in sorted({email for email, _ in people}):
        app.settings_changed(email)
    app.decided([item for item in items if forwarder_of(item)], "again")
    return text("review.trusted", people=", ".join(sorted({person for _, person in people})))


_ACTIONS = {"block": _block, "dismiss": _dismiss, "trust": _trust}


def forwarder_of(item: ReviewItem) -> str:
    """Return who forwarded a mail and could be trusted, "" if that is not what is wrong with it.

    The header From may name somebody else, or be forged, so only the judge's word counts.
    """
    return item.reason.address if item.reason.doubt is Doubt.FORWARDED_BY_STRANGER else ""


def _done(items: list[ReviewItem], decision: Decision) -> None:
    app = services().app
    for item in items:
        app.review.dismiss(item.id)
    app.decided(items, decision)
