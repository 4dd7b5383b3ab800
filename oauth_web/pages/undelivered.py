"""The seller's messages that did not arrive: an invoice may be among them."""

import csv
import io
from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.pages.blocks import PER_PAGE, page_number
from oauth_web.services import services
from worker.block_list.listing import Undelivered

blueprint = Blueprint("undelivered", __name__)

_COLUMNS = ("order_id", "sent_on", "notice_received_at", "marketplace", "address", "account")


@blueprint.get("/did-not-arrive")
def page() -> ResponseReturnValue:
    """Show them, newest first."""
    number = page_number(request.args.get("page", ""))
    found = services().app.block_list.listing.undelivered(number=number, size=PER_PAGE)
    return render_template(
        "undelivered.html",
        page=found,
        link=lambda page: url_for("undelivered.page", page=page),
    )


@blueprint.get("/did-not-arrive.csv")
def table() -> ResponseReturnValue:
    """Return them as a file for a spreadsheet."""
    return Response(
        _rows(services().app.block_list.listing.all_undelivered()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="did-not-arrive.csv"'},
    )


def _rows(found: Iterable[Undelivered]) -> Iterator[str]:
    # No cell can begin like a formula: all of them are ids, times and addresses that were checked.
    yield _line(_COLUMNS)
    for it in found:
        evidence = it.evidence
        yield _line(
            (
                evidence.order_id or "",
                evidence.sent_on.isoformat() if evidence.sent_on else "",
                evidence.received_at.isoformat(),
                it.block.marketplace or "",
                it.block.address or "",
                evidence.account,
            )
        )


def _line(cells: tuple[str, ...]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
