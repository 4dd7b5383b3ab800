"""The block list on the page: look, search, block, unblock, download."""

from collections.abc import Iterable
from typing import Any, get_args

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from oauth_web.exporting import file_answer
from oauth_web.guard import by_owner
from oauth_web.pages.forms import FormError, reading, shown_again
from oauth_web.pages.notes import go_on
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
MAX_KEYS = 100  # in the small box; more go through the import with its preview
MAX_NUMBER = 999_999_999
# What an address may ask for: which blocks, and links to other pages repeat.
_FILTERS = ("q", "marketplace", "reason", "account", "from", "to", "since")
_ASKED = (*_FILTERS, "sort", "order", "page")

blueprint = Blueprint("blocks", __name__)


@blueprint.get("/blocks")
def blocks() -> ResponseReturnValue:
    """Show a page of the list; only its table for a search as you type."""
    query, sort, descending = query_of(request.args), sort_of(request.args), request.args.get("order") != "up"
    kept = asked(_ASKED)
    page = services().app.block_list.listing.page(
        query,
        sort=sort,
        descending=descending,
        number=page_number(request.args.get("page", "")),
        size=PER_PAGE,
    )
    shown = {
        "asked": kept,
        "chosen": {name: value for name, value in kept.items() if name in _FILTERS},
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
        "link": lambda **changed: url_for("blocks.blocks", **kept | changed),
    }
    return render_template("blocks_table.html" if "part" in request.args else "blocks.html", **shown)


@blueprint.get("/block")
def detail() -> ResponseReturnValue:
    """Show all that is known of one block."""
    block = services().app.block_list.get(request.args.get("key", ""))
    if block is None:
        abort(404)
    return render_template("block.html", block=block, asked=asked(_ASKED))


@blueprint.post("/blocks/block")
@shown_again("blocks.blocks")
def block() -> ResponseReturnValue:
    """Block the buyers that the owner names, all of them or none."""
    keys = [line.strip() for line in request.form.get("keys", "").splitlines() if line.strip()][
        : MAX_KEYS + 1
    ]
    if not keys or len(keys) > MAX_KEYS:
        raise FormError(text("block.how_many", most=MAX_KEYS), field="keys")
    with reading("keys"):
        named = [parse_key(key).text for key in keys]
    results = services().app.block_list.block(named, note=request.form.get("note", "")[:500], by=by_owner())
    new = [result.key for result in results if result.status == "blocked"]
    undo = ("blocks.unblock", {"key": new[0]}) if len(new) == 1 else None
    return go_on("blocks.blocks", text("block.done", new=len(new), known=len(results) - len(new)), undo)


@blueprint.post("/blocks/unblock")
def unblock() -> ResponseReturnValue:
    """Unblock one buyer, all that were ticked or all that are found; a note on the next page undoes it."""
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
    said = text("unblock.done_all", count=len(unblocking.keys)) if others else text("unblock.done", key=key)
    undo = ("blocks.undo_unblock", {"unblocking": str(unblocking.id)})
    return go_on("blocks.blocks", said, undo, **asked(_ASKED))


@blueprint.post("/blocks/undo-unblock")
def undo_unblock() -> ResponseReturnValue:
    """Block again whom an unblocking has unblocked."""
    number = whole_number(request.form.get("unblocking", ""), 0, MAX_NUMBER) or 0
    blocked = services().app.block_list.undo_unblock(number, by=by_owner())
    return go_on("blocks.blocks", text("unblock.undone", count=blocked), **asked(_ASKED))


@blueprint.post("/blocks/note")
def annotate() -> ResponseReturnValue:
    """Replace a note; a note on the next page undoes it."""
    key = request.form.get("key", "")
    former = services().app.block_list.annotate(key, request.form.get("note", ""), by=by_owner())
    if former is None:
        raise UsageError(text("unblock.none", key=key))
    undo = ("blocks.annotate", {"key": key, "note": former})
    return go_on("blocks.blocks", text("note.done", key=key), undo, **asked(_ASKED))


@blueprint.get("/export")
def export() -> ResponseReturnValue:
    """Return the list, or what is filtered of it, in the format that ``format`` names."""
    name = request.args.get("format", "json")
    return download(name, f"blocks-{name}.{export_format(name).extension}")


def query_of(args: MultiDict[str, str]) -> Query:
    """Return the query of an address; what makes no sense in it is left out."""
    return Query(
        q=args.get("q", "").strip()[:MAX_SEARCH],
        marketplace=args.get("marketplace") or None,
        reason=next((it for it in get_args(Reason) if it == args.get("reason")), None),
        account=args.get("account") or None,
        since=moment(args.get("since", "")),
        first_from=moment(args.get("from", "")),
        first_to=moment(f"{args['to']}T23:59:59") if "to" in args else None,
    )


def asked(names: Iterable[str]) -> dict[str, Any]:
    """Return what this address asks of a list by these names, so that a link keeps it.

    Not all that it holds: some names mean something to url_for, such as another host's scheme.
    """
    return {name: request.args[name] for name in names if request.args.get(name)}


def sort_of(args: MultiDict[str, str]) -> Sort:
    """Return the order that an address asks for, by time for what is none."""
    return next((it for it in get_args(Sort) if it == args.get("sort")), "first_seen")


def page_number(text: str) -> int:
    """Return the page number in an address that anybody may have typed, the first for what is no number."""
    return whole_number(text, 1, MAX_NUMBER) or 1


def download(format_name: str, file_name: str) -> Response:
    """Return what is filtered as a file. Raises UsageError for a format that there is not."""
    answer = file_answer(export_format(format_name), query_of(request.args))
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return answer
