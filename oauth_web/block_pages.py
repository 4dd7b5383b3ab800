"""The block list on the page: look, search, block, unblock."""

from typing import Any, cast, get_args

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from oauth_web.admission import by_owner
from oauth_web.links import mail_in_gmail
from oauth_web.listing import SORTS, Query, select
from oauth_web.notes import Undo, leave_note
from oauth_web.paging import page_number
from oauth_web.services import services
from oauth_web.texts import text
from worker.block_list.exports import FORMATS
from worker.block_list.keys import parse_key
from worker.block_list.model import Reason
from worker.errors import UsageError
from worker.notices.amazon import MARKETPLACES

LONGEST_SEARCH = 200  # characters
MOST_KEYS = 100  # in the small box; more go through the import with its preview
# What an address may ask for, and links to other pages repeat.
_ASKED = ("q", "marketplace", "reason", "account", "sort", "order")

blueprint = Blueprint("block_pages", __name__)


@blueprint.get("/blocks")
def blocks() -> ResponseReturnValue:
    """Show a page of the list; only its table for a search as you type."""
    query = query_of(request.args)
    # Not all that the address holds: some names mean something to url_for, such as another host's scheme.
    asked: dict[str, Any] = {name: request.args[name] for name in _ASKED if name in request.args}
    shown = {
        "query": query,
        "page": select(services().index, query),
        "marketplaces": [place.domain for place in MARKETPLACES],
        "accounts": [account.email for account in services().app.accounts.all()],
        "reasons": get_args(Reason),
        "formats": FORMATS.values(),
        "link": lambda page: url_for("block_pages.blocks", **asked, page=page),
    }
    return render_template("blocks_table.html" if "part" in request.args else "blocks.html", **shown)


@blueprint.get("/block")
def story() -> ResponseReturnValue:
    """Show all that is known of one block."""
    block = services().app.block_list.get(request.args.get("key", ""))
    if block is None:
        abort(404)
    return render_template("block.html", block=block, mail_in_gmail=mail_in_gmail)


@blueprint.post("/blocks/block")
def block() -> ResponseReturnValue:
    """Block the buyers that the owner names, all of them or none."""
    keys = [line.strip() for line in request.form.get("keys", "").splitlines() if line.strip()][
        : MOST_KEYS + 1
    ]
    if not keys or len(keys) > MOST_KEYS:
        raise UsageError(text("block.how_many", most=MOST_KEYS))
    named = [parse_key(key).text for key in keys]
    results = services().app.block_list.block(named, note=request.form.get("note", "")[:500], by=by_owner())
    new = [result.key for result in results if result.status == "blocked"]
    undo = Undo("block_pages.unblock", {"key": new[0]}) if len(new) == 1 else None
    leave_note(text("block.done", new=len(new), known=len(results) - len(new)), undo)
    return redirect(url_for("block_pages.blocks"), 303)


@blueprint.post("/blocks/unblock")
def unblock() -> ResponseReturnValue:
    """Unblock a buyer; a note on the next page undoes it."""
    key = parse_key(request.form.get("key", "")).text
    if not services().app.block_list.unblock(key, by=by_owner()):
        raise UsageError(text("unblock.none", key=key))
    leave_note(text("unblock.done", key=key), Undo("block_pages.block", {"keys": key}))
    return redirect(url_for("block_pages.blocks"), 303)


def query_of(args: MultiDict[str, str]) -> Query:
    """Return the query of an address; what makes no sense in it is left out."""
    reason, sort = args.get("reason"), args.get("sort")
    return Query(
        q=args.get("q", "").strip()[:LONGEST_SEARCH],
        marketplace=args.get("marketplace") or None,
        reason=cast(Reason, reason) if reason in get_args(Reason) else None,
        account=args.get("account") or None,
        sort=sort if sort in SORTS else "first_seen",
        descending=args.get("order") != "up",
        page=page_number(args.get("page", "")),
    )
