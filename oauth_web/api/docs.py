"""The documentation page of the API, with Swagger UI from ``flask_swagger_ui``."""

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, send_from_directory
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from oauth_web.access.security import CONTENT_SECURITY_POLICY
from oauth_web.api.blocks import described
from oauth_web.guard import open_to_all

_SWAGGER = Path(str(files("flask_swagger_ui"))) / "dist"
_FILES = {
    "swagger-ui.css": _SWAGGER,
    "swagger-ui-bundle.js": _SWAGGER,
    "docs.js": Path(__file__).parent / "static",
    "docs.css": Path(__file__).parent / "static",
}
_MAX_AGE = 3600  # seconds that a browser caches the files

blueprint = Blueprint("docs", __name__)


@blueprint.get("/docs")
@open_to_all
def docs() -> ResponseReturnValue:
    """Show the documentation. Without a sign-in, since it contains no data."""
    response = make_response(render_template("docs.html", description=described()))
    # Swagger UI has its icons in the style sheet.
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
        "img-src 'self'", "img-src 'self' data:"
    )
    return response


@blueprint.get("/docs/<name>")
@open_to_all
def file(name: str) -> Response:
    """Return a file of the page."""
    if name not in _FILES:
        raise NotFound
    return send_from_directory(_FILES[name], name, max_age=_MAX_AGE)
