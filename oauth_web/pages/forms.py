"""A rejected form: show its page again, with the input and one sentence beside the field."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps

from flask import current_app, g, make_response, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from oauth_web.texts.languages import translated
from worker.errors import UsageError

_Route = Callable[[], ResponseReturnValue]


class FormError(UsageError):
    """The input in one field of a form is invalid."""

    def __init__(self, sentence: str, *, field: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class _Rejection:
    """endpoint: the route that the form was sent to."""

    endpoint: str
    field: str
    sentence: str


@contextmanager
def blame(field: str) -> Iterator[None]:
    """Turn a UsageError into a FormError of this field."""
    try:
        yield
    except FormError:
        raise
    except UsageError as error:
        raise FormError(translated(error), field=field) from error


def redisplay(page: str) -> Callable[[_Route], _Route]:
    """On a FormError show the page of this endpoint again, with status 400. page: the endpoint of the form's page."""

    def decorate(route: _Route) -> _Route:
        @wraps(route)
        def with_redisplay() -> ResponseReturnValue:
            try:
                return route()
            except FormError as error:
                g.rejected = _Rejection(request.endpoint or "", error.field, str(error))
                answer = make_response(current_app.view_functions[page]())
                answer.status_code = 400
                return answer

        return with_redisplay

    return decorate


def rejected(endpoint: str, field: str | None = None) -> _Rejection | None:
    """Return the rejection of the form that is sent to this endpoint, None if it was not rejected.

    field: only a rejection of this field.
    """
    found: _Rejection | None = g.get("rejected")
    if found is None or found.endpoint != endpoint or field not in (None, found.field):
        return None
    return found


def typed(endpoint: str, field: str, kept: object = "") -> object:
    """Return the value of a field: the input if the form was rejected, else the stored value."""
    return request.form.get(field, "") if rejected(endpoint) else kept


def described(endpoint: str, field: str, hint: str = "") -> Markup:
    """Return the HTML attributes that connect a field with its error for screen readers, and focus it.

    hint: the id of the sentence that always describes the field.
    """
    if rejected(endpoint, field):
        ids = f"fault {hint}".strip()
        return Markup(' aria-invalid="true" aria-describedby="{}" autofocus').format(ids)
    return Markup(' aria-describedby="{}"').format(hint) if hint else Markup()


def fault(endpoint: str, field: str) -> Markup:
    """Return the HTML of the error beside a rejected field."""
    if (found := rejected(endpoint, field)) is None:
        return Markup()
    return Markup('<span class="fault" id="fault" role="alert">{}</span>').format(found.sentence)
