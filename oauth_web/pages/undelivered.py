"""The seller's undelivered messages; an invoice may be one of them."""

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from oauth_web.pages.blocks import PER_PAGE, page_number
from oauth_web.services import services
from worker.block_list.formats.exports import csv_table
from worker.block_list.listing import Undelivered

blueprint = Blueprint("undelivered", __name__)

_COLUMNS = ("order_id", "sent_on", "notice_received_at", "marketplace", "address", "account")


@blueprint.get("/did-not-arrive")
def page() -> ResponseReturnValue:
    """Show the undelivered messages, newest first."""
    number = page_number(request.args.get("page", ""))
    found = services().app.block_list.listing.undelivered(number=number, size=PER_PAGE)
    return render_template(
        "undelivered.html",
        page=found,
        link=lambda page: url_for("undelivered.page", page=page),
    )


@blueprint.get("/did-not-arrive.csv")
def table() -> ResponseReturnValue:
    """Return the undelivered messages as a CSV file."""
    return Response(
        csv_table(_COLUMNS, map(_row, services().app.block_list.listing.all_undelivered())),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="did-not-arrive.csv"'},
    )


def _row(found: Undelivered) -> tuple[str, ...]:
    # No formula injection: all values are checked IDs, times and addresses.
    evidence = found.evidence
    return (
        evidence.order_id or "",
        evidence.sent_on.isoformat() if evidence.sent_on else "",
        evidence.received_at.isoformat(),
        found.block.marketplace or "",
        found.block.address or "",
        evidence.account,
    )
