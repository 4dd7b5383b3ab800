"""The block list: show, search, block, unblock, download."""

from collections.abc import Iterable
from typing import Any, get_args

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from oauth_web.exporting import file_answer
from oauth_web.guard import by_owner
from oauth_web.pages.forms import FormError, blame, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.block_list.formats.exports import FORMATS, export_format
from worker.block_list.keys import parse_key
from worker.block_list.listing import EVERYTHING, Query, Sort
from worker.block_list.model import Reason
from worker.errors import UsageError
from worker.notices.amazon import MARKETPLACES
from worker.parsing import moment, whole_number

PER_PAGE = 30
MAX_SEARCH = 200  # characters
MAX_KEYS = 100  # in the small box; for more there is the import
MAX_NUMBER = 999_999_999
# Query arguments; links to other pages of the list repeat them.
_FILTERS = ("q", "marketplace", "reason", "account", "from", "to", "since")
_KEPT_ARGS = (*_FILTERS, "sort", "order", "page")

blueprint = Blueprint("blocks", __name__)


@blueprint.get("/blocks")
def blocks() -> ResponseReturnValue:
    """Show a page of the list; with ``part`` only the table, for a search while typing."""
    query, sort, descending = query_of(request.args), sort_of(request.args), request.args.get("order") != "up"
    args = kept_args(_KEPT_ARGS)
    page = services().app.block_list.listing.page(
        query,
        sort=sort,
        descending=descending,
        number=page_number(request.args.get("page", "")),
        size=PER_PAGE,
    )
    shown = {
        "asked": args,
        "chosen": {name: value for name, value in args.items() if name in _FILTERS},
        "newest": services().app.block_list.listing.newest_notices(page.items),
        "query": query,
        "narrow": query != EVERYTHING,
        "sort": sort,
        "sorts": get_args(Sort),
        "descending": descending,
        "page": page,
        "marketplaces": [place.domain for place in MARKETPLACES],
        "accounts": [account.email for account in services().app.accounts.all()],
        "reasons": get_args(Reason),
        "formats": FORMATS.values(),
        "edited": request.args.get("edit"),
        "link": lambda **changed: url_for("blocks.blocks", **args | changed),
    }
    return render_template("blocks_table.html" if "part" in request.args else "blocks.html", **shown)


@blueprint.get("/block")
def detail() -> ResponseReturnValue:
    """Show the details of one block."""
    block = services().app.block_list.get(request.args.get("key", ""))
    if block is None:
        abort(404)
    return render_template("block.html", block=block, asked=kept_args(_KEPT_ARGS))


@blueprint.post("/blocks/block")
@redisplay("blocks.blocks")
def block() -> ResponseReturnValue:
    """Block the buyers of the form, all or none."""
    keys = [line.strip() for line in request.form.get("keys", "").splitlines() if line.strip()][
        : MAX_KEYS + 1
    ]
    if not keys or len(keys) > MAX_KEYS:
        raise FormError(text("block.how_many", most=MAX_KEYS), field="keys")
    with blame("keys"):
        named = [parse_key(key).text for key in keys]
    results = services().app.block_list.block(named, note=request.form.get("note", "")[:500], by=by_owner())
    new = [result.key for result in results if result.status == "blocked"]
    undo = ("blocks.unblock", {"key": new[0]}) if len(new) == 1 else None
    return redirect_to("blocks.blocks", text("block.done", new=len(new), known=len(results) - len(new)), undo)


@blueprint.post("/blocks/unblock")
def unblock() -> ResponseReturnValue:
    """Unblock the selected buyers, or all that the query finds; a note on the next page can undo it."""
    keys, block_list = request.form.getlist("key")[:MAX_KEYS], services().app.block_list
    if found := whole_number(request.form.get("found", ""), 1, MAX_NUMBER):
        unblocking = block_list.unblock_found(query_of(request.args), expected=found, by=by_owner())
    elif keys:
        unblocking = block_list.unblock_all(keys, by=by_owner())
    else:
        raise UsageError(text("unblock.none_ticked"))
    if not unblocking.keys:
        raise UsageError(text("unblock.none", key=parse_key(keys[0]).text))
    key, *others = unblocking.keys
    note = text("unblock.done_all", count=len(unblocking.keys)) if others else text("unblock.done", key=key)
    undo = ("blocks.undo_unblock", {"unblocking": str(unblocking.id)})
    return redirect_to("blocks.blocks", note, undo, **kept_args(_KEPT_ARGS))


@blueprint.post("/blocks/undo-unblock")
def undo_unblock() -> ResponseReturnValue:
    """Block the buyers of an unblocking again."""
    number = whole_number(request.form.get("unblocking", ""), 0, MAX_NUMBER) or 0
    blocked = services().app.block_list.undo_unblock(number, by=by_owner())
    return redirect_to("blocks.blocks", text("unblock.undone", count=blocked), **kept_args(_KEPT_ARGS))


@blueprint.post("/blocks/note")
def annotate() -> ResponseReturnValue:
    """Replace the note of a block; a message on the next page can undo it."""
    key = request.form.get("key", "")
    former = services().app.block_list.annotate(key, request.form.get("note", ""), by=by_owner())
    if former is None:
        raise UsageError(text("unblock.none", key=key))
    undo = ("blocks.annotate", {"key": key, "note": former})
    return redirect_to("blocks.blocks", text("note.done", key=key), undo, **kept_args(_KEPT_ARGS))


@blueprint.get("/export")
def export() -> ResponseReturnValue:
    """Return the filtered list in the given format."""
    name = request.args.get("format", "json")
    return download(name, f"blocks-{name}.{export_format(name).extension}")


def query_of(args: MultiDict[str, str]) -> Query:
    """Return the query of the request's arguments; invalid values are ignored."""
    return Query(
        q=args.get("q", "").strip()[:MAX_SEARCH],
        marketplace=args.get("marketplace") or None,
        reason=next((it for it in get_args(Reason) if it == args.get("reason")), None),
        account=args.get("account") or None,
        since=moment(args.get("since", "")),
        first_from=moment(args.get("from", "")),
        first_to=moment(f"{args['to']}T23:59:59") if "to" in args else None,
    )


def kept_args(names: Iterable[str]) -> dict[str, Any]:
    """Return the request's arguments with these names, for links.

    Never all arguments: some names, such as ``_scheme``, have a meaning for url_for.
    """
    return {name: request.args[name] for name in names if request.args.get(name)}


def sort_of(args: MultiDict[str, str]) -> Sort:
    """Return the sort order of the arguments, by time if it is invalid."""
    return next((it for it in get_args(Sort) if it == args.get("sort")), "first_seen")


def page_number(text: str) -> int:
    """Return the page number of an argument, 1 if it is invalid."""
    return whole_number(text, 1, MAX_NUMBER) or 1


def download(format_name: str, file_name: str) -> Response:
    """Return the filtered list as a file. Raises UsageError for an unknown format."""
    answer = file_answer(export_format(format_name), query_of(request.args))
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return answer
