"""The list as a file at one URL: for an owner, and for programs that can only fetch a URL with a token in it.

Such programs are Google Sheets (IMPORTDATA) and Excel (web query). URLs end up in histories and logs, so these tokens
have a scope of their own, and tokens of other scopes are refused here.
"""

from math import ceil

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from oauth_web.api.openapi import FILTERS
from oauth_web.api.reading import arguments
from oauth_web.exporting import file_answer, unless_unchanged
from oauth_web.guard import open_to_all, token_in_address
from oauth_web.pages.blocks import download
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.block_list.formats.exports import FORMATS
from worker.block_list.listing import query_of
from worker.errors import UsageError

# Unknown arguments are refused: a misspelt filter would return too many blocks.
_CALL = {"parameters": [*FILTERS, {"name": "token", "in": "query", "schema": {"type": "string"}}]}

blueprint = Blueprint("downloads", __name__)


@blueprint.get("/blocks.<name>")
@open_to_all
def file(name: str) -> ResponseReturnValue:
    """Return the filtered list. name: of the format."""
    if "token" not in request.args and g.owner is not None:
        return download(name, f"blocks.{name}")
    answer = _by_token(name)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _by_token(name: str) -> Response:
    try:
        token = token_in_address()
        wait = services().download_limit.wait(token.name) if token else 0.0
    except TooManyRequests as error:
        return _refused(429, text("download.too_many"), error.retry_after)
    if token is None:
        return _refused(401, text("download.refused"))
    if wait:
        return _refused(429, text("download.too_many"), ceil(wait))
    if name not in FORMATS:
        return _refused(404, text("download.no_format", formats=", ".join(FORMATS)))
    try:
        query = query_of(arguments(_CALL))
    except UsageError as error:
        return _refused(400, str(error))
    return unless_unchanged(lambda: file_answer(FORMATS[name], query), cache="no-store")


def _refused(status: int, sentence: str, wait: object = None) -> Response:
    headers = {"Retry-After": str(wait)} if wait else {}
    return Response(f"{sentence}\n", status, headers, content_type="text/plain; charset=utf-8")
