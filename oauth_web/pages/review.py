"""Mails that a person has to decide about, and decided ones; every decision can be undone."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.guard import by_owner
from oauth_web.pages.blocks import MAX_SEARCH, kept_args, page_number
from oauth_web.pages.notes import redirect_to, set_note
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.block_list import reviewed
from worker.block_list.review import ReviewItem, ReviewQuery, State
from worker.errors import BuyerblockError, UsageError
from worker.notices.doubts import Doubt, Group
from worker.notices.reading import text_of

blueprint = Blueprint("review", __name__)

PER_PAGE = 25
PER_GROUP = 6  # mails of each group if all groups are shown
READ_TIMEOUT = 15.0  # seconds, for the text of a mail
# Doubts that trust removes: the field of the account with the trusted addresses.
_TRUST_FIELDS = {Doubt.FORWARDED_BY_STRANGER: "trusted", Doubt.REDIRECTED: "redirectors"}
# Query arguments; forms and links of the page repeat them.
_KEPT_ARGS = ("state", "group", "account", "q", "page")


@blueprint.get("/review")
def page() -> ResponseReturnValue:
    """Show the mails in groups, by likelihood of being genuine: some of each group, or a page of one group."""
    review, query, group = services().app.review, _query(), _group(request.args.get("group"))
    number, size = page_number(request.args.get("page", "")), PER_PAGE if group else PER_GROUP
    pages = {
        it: review.page(_in_group(query, it), number=number, size=size)
        for it in ([group] if group else Group)
    }
    return render_template(
        "review.html",
        query=query,
        group=group,
        pages={it: found for it, found in pages.items() if found.total},
        totals={state: review.count(ReviewQuery(state=state)) for state in get_args(State)},
        accounts=[it.email for it in services().app.accounts.all()],
        link=lambda **changed: url_for("review.page", **{**kept_args(_KEPT_ARGS), **changed}),
        here=kept_args(_KEPT_ARGS),
        forwarder_of=forwarder_of,
    )


@blueprint.get("/review/text")
def mail_text() -> ResponseReturnValue:
    """Show the text of a mail, read from Gmail now; with ``part`` only the text, for the page that has the rest."""
    item = services().app.review.get(request.args.get("item", ""))
    if item is None:
        abort(404)
    shown, problem = "", ""
    try:
        mailbox = services().app.passes.mailbox(item.account)
        message = mailbox.read_one(item.gmail_id, patience=READ_TIMEOUT)
        shown = text_of(message.raw) if message else ""
        problem = "" if shown else text("review.no_text" if message else "review.gone")
    except BuyerblockError as error:
        problem = text("review.not_read", problem=error)
    template = "mail_text.html" if "part" in request.args else "review_text.html"
    back = url_for("review.page", **kept_args(_KEPT_ARGS))
    return render_template(template, item=item, shown=shown, problem=problem, back=back)


@blueprint.post("/review")
def decide() -> ResponseReturnValue:
    """Decide about the mail of the pressed button, the selected mails, or all that the query finds."""
    action, _, pressed = request.form.get("action", "").partition(" ")
    if action not in _ACTIONS:
        raise UsageError(text("error.other"))
    found = [it for it in _selected(pressed) if (it.state == "waiting") == (action != "restore")]
    if not found:
        raise UsageError(text("review.none_chosen"))
    _ACTIONS[action](found)
    return redirect(url_for("review.page", **kept_args(_KEPT_ARGS)), 303)


@blueprint.post("/review/distrust")
def distrust() -> ResponseReturnValue:
    """Stop trusting a person. Mails that were judged meanwhile keep their verdict."""
    app, person = services().app, request.form.get("person", "")
    account = app.accounts.get(request.form.get("account", ""))
    trusted = {name: getattr(account, name) for name in _TRUST_FIELDS.values()}
    fewer = {name: tuple(it for it in had if it != person) for name, had in trusted.items()}
    app.accounts.update(account.email, **fewer)
    app.settings_changed(account.email)
    return redirect_to("review.page", text("review.distrusted", person=person))


def forwarder_of(item: ReviewItem) -> str:
    """Return the person who forwarded or redirected a waiting mail, if trusting them removes its doubt; else "".

    The address comes from the verdict, because the header From may name somebody else or be forged.
    """
    return item.reason.address if item.reason.doubt in _TRUST_FIELDS and item.state == "waiting" else ""


def _block(items: list[ReviewItem]) -> None:
    """Block the buyers of these mails, which now count as genuine."""
    app, decision = services().app, secrets.token_hex(8)
    with_key = [item for item in items if item.key]
    if with_key:
        reviewed.block(app.database, app.block_list, app.review, with_key, decision=decision, by=by_owner())
        app.decided(with_key, "blocked")
    left = len(items) - len(with_key)
    note = (
        text("review.blocked_some", count=len(with_key), left=left)
        if left
        else text("review.blocked", count=len(with_key))
    )
    set_note(note, _undo("blocked", decision) if with_key else None)


def _dismiss(items: list[ReviewItem]) -> None:
    app, decision = services().app, secrets.token_hex(8)
    app.review.decide([item.id for item in items], "dismissed", decision=decision)
    app.decided(items, "dismissed")
    set_note(text("review.dismissed", count=len(items)), _undo("dismissed", decision))


def _restore(items: list[ReviewItem]) -> None:
    """Undo decisions, so that the mails wait again."""
    app = services().app
    reviewed.undo_block(app.database, app.block_list, app.review, items, by=by_owner())
    app.decided([it for it in items if it.state == "dismissed"], "not dismissed")
    app.decided([it for it in items if it.state == "blocked"], "not blocked")
    set_note(text("review.restored", count=len(items)))


def _trust(items: list[ReviewItem]) -> None:
    """Trust the person who forwarded or redirected the first mail; judge all their waiting mails again."""
    app, person = services().app, forwarder_of(items[0])
    if not person:
        raise UsageError(text("review.nobody_to_trust"))
    email, doubt = items[0].account, items[0].reason.doubt
    field = _TRUST_FIELDS[doubt]
    known = getattr(app.accounts.get(email), field)
    app.accounts.update(email, **{field: tuple(dict.fromkeys((*known, person)))})
    app.settings_changed(email)
    again = app.review.items(ReviewQuery(account=email, doubts=frozenset({doubt}), about=person))
    app.decided(again, "again")
    undo = ("review.distrust", {"person": person, "account": email})
    set_note(text("review.trusted", count=len(again), person=person), undo)


_ACTIONS: dict[str, Callable[[list[ReviewItem]], None]] = {
    "block": _block,
    "dismiss": _dismiss,
    "restore": _restore,
    "trust": _trust,
}


def _undo(state: State, decision: str) -> tuple[str, dict[str, str]]:
    return "review.decide", {"action": "restore", "state": state, "decision": decision}


def _selected(pressed: str) -> Sequence[ReviewItem]:
    """Return the mails that the form selects."""
    review = services().app.review
    if decision := request.form.get("decision"):
        return review.items(ReviewQuery(state=_state(request.form.get("state")), decision=decision))
    if "all" in request.form and not pressed:
        found = review.items(_in_group(_query(), _group(request.form.get("of"))))
        # New mails may have come since the page was shown; the user has not seen them.
        if str(len(found)) != request.form["all"]:
            raise UsageError(text("review.changed"))
        return found
    chosen = [pressed] if pressed else request.form.getlist("item")
    return [item for item in map(review.get, chosen) if item is not None]


def _query() -> ReviewQuery:
    """Return the query of the arguments, without the group; invalid values are ignored."""
    return ReviewQuery(
        state=_state(request.args.get("state")),
        account=request.args.get("account") or None,
        q=request.args.get("q", "").strip()[:MAX_SEARCH],
    )


def _in_group(query: ReviewQuery, group: Group | None) -> ReviewQuery:
    return replace(query, doubts=group.value if group else None)


def _state(name: str | None) -> State:
    return next((it for it in get_args(State) if it == name), "waiting")


def _group(name: str | None) -> Group | None:
    return next((it for it in Group if it.name.lower() == name), None)
