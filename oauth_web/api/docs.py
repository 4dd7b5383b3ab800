"""The description of the API as a page for people, drawn by Swagger UI, which ``flask_swagger_ui`` brings along."""

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
_KEPT_FOR = 3600  # seconds that a browser keeps the files

blueprint = Blueprint("docs", __name__)


@blueprint.get("/docs")
@open_to_all
def docs() -> ResponseReturnValue:
    """Show what the API can do. It is the same for everybody and names nobody, so it takes no sign-in."""
    response = make_response(render_template("docs.html", description=described()))
    # The signs of Swagger UI are pictures in its style sheet.
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
    return send_from_directory(_FILES[name], name, max_age=_KEPT_FOR)
