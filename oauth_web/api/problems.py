"""Errors as problem documents (RFC 9457): the status, its name, and a sentence that says what to do."""

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
# Of the library's own headers, those that are not about the page it would show.
_KEPT = ("Allow", "Retry-After")


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem document. The status says all about its type, hence no ``type`` of our own."""
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
        # The sentence names paths of the server, which are for its owner.
        log.error("%s", error)
        wait = {"Retry-After": "5"} if isinstance(error, BusyError) else None
        return problem(503, "The block list cannot be used at the moment; the server's log says why.", wait)
    return problem(400, str(error))


def _http(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    detail = _HOST if isinstance(error, SecurityError) else error.description or ""
    if code in _DETAILS and error.description == type(error).description:
        detail = _DETAILS[code]
    kept = {name: value for name, value in error.get_headers() if name in _KEPT}
    return problem(code, detail, kept)


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("A call of the API failed unexpectedly.", exc_info=error)
    return problem(500, "Something unexpected went wrong; the server's log says more.")
