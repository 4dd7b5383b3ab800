"""Error pages: one sentence that says what is wrong and what to do."""

import logging

from flask import Flask, current_app, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError

from oauth_web.guard import may_become_owner
from oauth_web.texts.english import text
from oauth_web.texts.languages import translated
from worker.errors import BuyerblockError, GmailError, StorageError

log = logging.getLogger(__name__)

# The endpoint of a blueprint's page with forms, if it is not called "page".
_FORMS = {"blocks": "blocks.blocks", "imports": "imports.form"}


def handle(app: Flask) -> None:
    """Show every error as an error page."""
    app.register_error_handler(BuyerblockError, _ours)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def error_page(status: int, message: str) -> ResponseReturnValue:
    """Return a page with one sentence."""
    page = render_template("error.html", message=message, status=status, back=_form_page())
    return page, status


def _form_page() -> str:
    """Return the URL of the page with the submitted form, "" if there is none."""
    endpoint = _FORMS.get(request.blueprint or "", f"{request.blueprint}.page")
    known = request.method == "POST" and endpoint in current_app.view_functions and g.get("owner")
    return url_for(endpoint) if known else ""


def error_text(error: BuyerblockError) -> str:
    """Return the text of an error for a visitor; strangers do not see it, since it may contain the server's paths."""
    if g.get("owner") or may_become_owner():
        return translated(error)
    log.error("%s", error)
    return text("error.closed")


def _ours(error: BuyerblockError) -> ResponseReturnValue:
    if isinstance(error, StorageError):
        log.error("%s", error)
        return error_page(503, error_text(error))
    return error_page(502 if isinstance(error, GmailError) else 400, error_text(error))


def _csrf(_: CSRFError) -> ResponseReturnValue:
    return error_page(400, text("error.csrf"))


def _http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):
        # For a wrong Host no page is shown, since its links would be wrong too.
        return text("error.host") + "\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
    if error.response is not None or (error.code or 500) < 400:
        return error
    known = {403, 404, 405, 413, 429}
    code = error.code or 500
    page = error_page(code, text(f"error.{code}" if code in known else "error.other"))
    if not isinstance(error, MethodNotAllowed):
        return page
    answer = make_response(page)
    answer.allow.update(error.valid_methods or ())
    return answer


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("A page failed unexpectedly.", exc_info=error)
    return error_page(500, text("error.unexpected"))
