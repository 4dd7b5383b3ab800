"""Mails that a person has to decide about, and those that were decided about: any decision can be taken back."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.guard import by_owner
from oauth_web.pages.blocks import MAX_SEARCH, asked, page_number
from oauth_web.pages.notes import go_on, leave_note
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.block_list import reviewed
from worker.block_list.review import ReviewItem, ReviewQuery, State
from worker.errors import BuyerblockError, UsageError
from worker.notices.doubts import Doubt, Group
from worker.notices.reading import text_of

blueprint = Blueprint("review", __name__)

PER_PAGE = 25
OF_EACH = 6  # so many of each group where all groups are shown
PATIENCE = 15.0  # seconds that a visitor waits for the text of a mail
# By which field of the account somebody is trusted, if that is all that is missing.
_TRUSTED_AS = {Doubt.FORWARDED_BY_STRANGER: "trusted", Doubt.REDIRECTED: "redirectors"}
# What an address may ask for, and forms and links of the page repeat.
_ASKED = ("state", "group", "account", "q", "page")


@blueprint.get("/review")
def page() -> ResponseReturnValue:
    """Show the mails by how likely they are genuine: some of each group, or a page of one."""
    review, query, group = services().app.review, _query(), _group(request.args.get("group"))
    number, size = page_number(request.args.get("page", "")), PER_PAGE if group else OF_EACH
    pages = {
        it: review.page(_of(query, it), number=number, size=size) for it in ([group] if group else Group)
    }
    return render_template(
        "review.html",
        query=query,
        group=group,
        pages={it: found for it, found in pages.items() if found.total},
        totals={state: review.count(ReviewQuery(state=state)) for state in get_args(State)},
        accounts=[it.email for it in services().app.accounts.all()],
        link=lambda **changed: url_for("review.page", **{**asked(_ASKED), **changed}),
        here=asked(_ASKED),
        forwarder_of=forwarder_of,
    )


@blueprint.get("/review/text")
def mail_text() -> ResponseReturnValue:
    """Show what a mail says, read from Gmail now; only that for a page that shows the rest already."""
    item = services().app.review.get(request.args.get("item", ""))
    if item is None:
        abort(404)
    shown, problem = "", ""
    try:
        mailbox = services().app.passes.mailbox(item.account)
        message = mailbox.read_one(item.gmail_id, patience=PATIENCE)
        shown = text_of(message.raw) if message else ""
        problem = "" if shown else text("review.no_text" if message else "review.gone")
    except BuyerblockError as error:
        problem = text("review.not_read", problem=error)
    template = "mail_text.html" if "part" in request.args else "review_text.html"
    back = url_for("review.page", **asked(_ASKED))
    return render_template(template, item=item, shown=shown, problem=problem, back=back)


@blueprint.post("/review")
def decide() -> ResponseReturnValue:
    """Decide about what was ticked, the one mail whose button was pressed, or all that is found."""
    action, _, only = request.form.get("action", "").partition(" ")
    if action not in _ACTIONS:
        raise UsageError(text("error.other"))
    found = [it for it in _chosen(only) if (it.state == "waiting") == (action != "restore")]
    if not found:
        raise UsageError(text("review.none_chosen"))
    _ACTIONS[action](found)
    return redirect(url_for("review.page", **asked(_ASKED)), 303)


@blueprint.post("/review/distrust")
def distrust() -> ResponseReturnValue:
    """Take back that somebody is trusted. What was judged meanwhile stays so."""
    app, person = services().app, request.form.get("person", "")
    account = app.accounts.get(request.form.get("account", ""))
    trusted = {name: getattr(account, name) for name in _TRUSTED_AS.values()}
    fewer = {name: tuple(it for it in had if it != person) for name, had in trusted.items()}
    app.accounts.update(account.email, **fewer)
    app.settings_changed(account.email)
    return go_on("review.page", text("review.distrusted", person=person))


def forwarder_of(item: ReviewItem) -> str:
    """Return who forwarded or redirected a mail and could be trusted, "" if that is not what is wrong with it.

    The header From may name somebody else, or be forged, so only the judge's word counts.
    """
    return item.reason.address if item.reason.doubt in _TRUSTED_AS and item.state == "waiting" else ""


def _block(items: list[ReviewItem]) -> None:
    """Block the buyers of these mails, which count as genuine notices now."""
    app, decision = services().app, secrets.token_hex(8)
    named = [item for item in items if item.key]
    if named:
        reviewed.block(app.database, app.block_list, app.review, named, decision=decision, by=by_owner())
        app.decided(named, "blocked")
    left = len(items) - len(named)
    note = (
        text("review.blocked_some", count=len(named), left=left)
        if left
        else text("review.blocked", count=len(named))
    )
    leave_note(note, _undo("blocked", decision) if named else None)


def _dismiss(items: list[ReviewItem]) -> None:
    app, decision = services().app, secrets.token_hex(8)
    app.review.decide([item.id for item in items], "dismissed", decision=decision)
    app.decided(items, "dismissed")
    leave_note(text("review.dismissed", count=len(items)), _undo("dismissed", decision))


def _restore(items: list[ReviewItem]) -> None:
    """Let mails wait again that were decided about."""
    app = services().app
    reviewed.undo_block(app.database, app.block_list, app.review, items, by=by_owner())
    app.decided([it for it in items if it.state == "dismissed"], "not dismissed")
    app.decided([it for it in items if it.state == "blocked"], "not blocked")
    leave_note(text("review.restored", count=len(items)))


def _trust(items: list[ReviewItem]) -> None:
    """Trust from now on who forwarded or redirected these mails; all that waits of theirs is judged once more."""
    app, person = services().app, forwarder_of(items[0])
    if not person:
        raise UsageError(text("review.nobody_to_trust"))
    email, doubt = items[0].account, items[0].reason.doubt
    field = _TRUSTED_AS[doubt]
    known = getattr(app.accounts.get(email), field)
    app.accounts.update(email, **{field: tuple(dict.fromkeys((*known, person)))})
    app.settings_changed(email)
    again = app.review.items(ReviewQuery(account=email, doubts=frozenset({doubt}), about=person))
    app.decided(again, "again")
    undo = ("review.distrust", {"person": person, "account": email})
    leave_note(text("review.trusted", count=len(again), person=person), undo)


_ACTIONS: dict[str, Callable[[list[ReviewItem]], None]] = {
    "block": _block,
    "dismiss": _dismiss,
    "restore": _restore,
    "trust": _trust,
}


def _undo(state: State, decision: str) -> tuple[str, dict[str, str]]:
    return "review.decide", {"action": "restore", "state": state, "decision": decision}


def _chosen(only: str) -> Sequence[ReviewItem]:
    """Return the mails that a form means."""
    review = services().app.review
    if decision := request.form.get("decision"):
        return review.items(ReviewQuery(state=_state(request.form.get("state")), decision=decision))
    if "all" in request.form and not only:
        found = review.items(_of(_query(), _group(request.form.get("of"))))
        # Of what was shown: others may have come meanwhile.
        if str(len(found)) != request.form["all"]:
            raise UsageError(text("review.changed"))
        return found
    chosen = [only] if only else request.form.getlist("item")
    return [item for item in map(review.get, chosen) if item is not None]


def _query() -> ReviewQuery:
    """Return what an address asks for, whatever the group; what makes no sense in it is left out."""
    return ReviewQuery(
        state=_state(request.args.get("state")),
        account=request.args.get("account") or None,
        q=request.args.get("q", "").strip()[:MAX_SEARCH],
    )


def _of(query: ReviewQuery, group: Group | None) -> ReviewQuery:
    return replace(query, doubts=group.value if group else None)


def _state(name: str | None) -> State:
    return next((it for it in get_args(State) if it == name), "waiting")


def _group(name: str | None) -> Group | None:
    return next((it for it in Group if it.name.lower() == name), None)
