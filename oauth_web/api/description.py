"""The description of the API, for people and for programs that make clients of it."""

import orjson
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from oauth_web.api.openapi import DOCUMENT
from oauth_web.api.reading import arguments

blueprint = Blueprint("description", __name__, url_prefix="/v1")

_CONTENT = orjson.dumps(DOCUMENT)


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Return the OpenAPI document."""
    arguments(request)
    return Response(_CONTENT, content_type="application/json")
