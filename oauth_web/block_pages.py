"""The block list on the page: search and download."""

from itertools import islice

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.services import services

SHOWN = 100

blueprint = Blueprint("block_pages", __name__)


@blueprint.get("/blocks")
def blocks() -> ResponseReturnValue:
    """Show the blocks that match a search."""
    q = request.args.get("q", "").strip()[:200]
    found = list(islice(services().app.block_list.blocks(q=q), SHOWN + 1))
    return render_template("blocks.html", q=q, blocks=found[:SHOWN], more=len(found) > SHOWN)


@blueprint.get("/blocks.json")
def download() -> ResponseReturnValue:
    """Return the JSON export as a file."""
    return Response(
        services().app.block_list.export("json"),
        mimetype="application/json",
        headers={"Content-Disposition": 'attachment; filename="blocks.json"'},
    )
