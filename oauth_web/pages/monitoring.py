"""Pages for monitors: readiness (``/readyz``) and metrics for Prometheus (``/metrics``).

The readiness is public. The reasons and the metrics contain addresses of accounts, so they are for owners and for
programs with an API token.
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
    """Return the readiness, status 200 or 503. reasons: null for those who may not read them."""
    if _may_read():
        app = services().app
        found = health(app, app.clock.now())
        reasons: list[str] | None = list(found.reasons)
    else:
        found, reasons = services().health.get(), None
    return jsonify(ready=found.ready, reasons=reasons), 200 if found.ready else 503


@blueprint.get("/metrics")
@open_to_all
def prometheus() -> ResponseReturnValue:
    """Return the metrics in Prometheus' text format."""
    if not _may_read():
        refusal = {
            "WWW-Authenticate": 'Bearer realm="buyerblock"',
            "Content-Type": "text/plain; charset=utf-8",
        }
        return text("monitoring.closed") + "\n", 401, refusal
    # Imported here to save memory: few installations use Prometheus.
    from worker.operation.metrics import CONTENT_TYPE, metrics  # noqa: PLC0415

    app = services().app
    return Response(metrics(app, app.clock.now()), content_type=CONTENT_TYPE)


def _may_read() -> bool:
    """Return whether the request is from an owner, or has an API token; every API token may read."""
    if g.owner is not None:
        return True
    token = bearer_token()
    return token is not None and token.scope != "download"
