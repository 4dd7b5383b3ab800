"""Errors as problem documents (RFC 9457): the status, its title, and a sentence that says what to do."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from flask import Flask, Response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, SecurityError

from worker.errors import BusyError, BuyerblockError, StorageError

log = logging.getLogger(__name__)

_DETAILS = {
    404: "There is nothing at this address; /api/v1/openapi.json lists what there is.",
    405: "This address cannot be used with this method; the header Allow lists those that can.",
    413: "The request is too large; send at most 1,000 keys at once.",
}
_HOST = "The API is not served under that name; use localhost, or the address in BUYERBLOCK_PUBLIC_URL."
# Headers of the library's error that are sent; its other headers are about its own HTML page.
_SENT_HEADERS = ("Allow", "Retry-After")


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem document. The type is ``about:blank``, which means that the status is the type."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return Response(orjson.dumps(document), status, headers=headers, content_type="application/problem+json")


def handle(api: Flask) -> None:
    """Show every error as a problem document."""
    api.register_error_handler(BuyerblockError, _ours)
    api.register_error_handler(HTTPException, _http)
    api.register_error_handler(Exception, _unexpected)


def _ours(error: BuyerblockError) -> ResponseReturnValue:
    if isinstance(error, StorageError):
        # The sentence may contain paths of the server, so only the log gets it.
        log.error("%s", error)
        wait = {"Retry-After": "5"} if isinstance(error, BusyError) else None
        return problem(503, "The block list cannot be used at the moment; the server's log says why.", wait)
    return problem(400, str(error))


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    detail = _HOST if isinstance(error, SecurityError) else error.description or ""
    if code in _DETAILS and error.description == type(error).description:
        detail = _DETAILS[code]
    return problem(
        code, detail, {name: value for name, value in error.get_headers() if name in _SENT_HEADERS}
    )


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("A call of the API failed unexpectedly.", exc_info=error)
    return problem(500, "Something unexpected went wrong; the server's log says more.")
