"""What monitors read: whether all that has to work does (``/readyz``), and numbers for Prometheus (``/metrics``).

Whether buyerblock is ready is no secret. Why it is not, and the numbers, name the accounts: those are for owners, and
for programs that show a token of the API.
"""

from flask import Blueprint, Response, g, jsonify
from flask.typing import ResponseReturnValue

from oauth_web.guard import bearer_token, open_to_all
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.operation.health import health

blueprint = Blueprint("monitoring", __name__)


@blueprint.get("/readyz")
@open_to_all
def readyz() -> ResponseReturnValue:
    """Say by the status whether all is well; whoever may know it reads why not. Others get null for the reasons."""
    if _may_know():
        app = services().app
        found = health(app, app.clock.now())
        reasons: list[str] | None = list(found.reasons)
    else:
        found, reasons = services().health.get(), None
    return jsonify(ready=found.ready, reasons=reasons), 200 if found.ready else 503


@blueprint.get("/metrics")
@open_to_all
def prometheus() -> ResponseReturnValue:
    """Return the numbers in Prometheus's text format."""
    if not _may_know():
        refusal = {
            "WWW-Authenticate": 'Bearer realm="buyerblock"',
            "Content-Type": "text/plain; charset=utf-8",
        }
        return text("monitoring.closed") + "\n", 401, refusal
    # Few are read by Prometheus, whose library would take memory of all.
    from worker.operation.metrics import CONTENT_TYPE, metrics  # noqa: PLC0415

    app = services().app
    return Response(metrics(app, app.clock.now()), content_type=CONTENT_TYPE)


def _may_know() -> bool:
    """Return whether an owner asks, or a program with a token of the API; each one may read."""
    if g.owner is not None:
        return True
    token = bearer_token()
    return token is not None and token.scope != "download"
