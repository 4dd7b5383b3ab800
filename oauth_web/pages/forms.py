"""A rejected form: its page once more, with what was typed and one sentence beside the field."""

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
    """What was typed into one field of a form cannot be taken."""

    def __init__(self, sentence: str, *, field: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class _Rejected:
    """endpoint: the route that the form was sent to."""

    endpoint: str
    field: str
    sentence: str


@contextmanager
def reading(field: str) -> Iterator[None]:
    """Blame this field for input that cannot be taken. Raises FormError."""
    try:
        yield
    except FormError:
        raise
    except UsageError as error:
        raise FormError(translated(error), field=field) from error


def shown_again(page: str) -> Callable[[_Route], _Route]:
    """Have a route answer a FormError with the page of this endpoint, that has its form, and status 400."""

    def decorate(route: _Route) -> _Route:
        @wraps(route)
        def guarded() -> ResponseReturnValue:
            try:
                return route()
            except FormError as error:
                g.rejected = _Rejected(request.endpoint or "", error.field, str(error))
                answer = make_response(current_app.view_functions[page]())
                answer.status_code = 400
                return answer

        return guarded

    return decorate


def rejected(endpoint: str, field: str | None = None) -> _Rejected | None:
    """Return what is wrong with the form that is sent to this endpoint; None if nothing is.

    field: only what is wrong with this field of it.
    """
    found: _Rejected | None = g.get("rejected")
    if found is None or found.endpoint != endpoint or field not in (None, found.field):
        return None
    return found


def typed(endpoint: str, field: str, kept: object = "") -> object:
    """Return what a field shows: what was typed if the form was rejected, else what is kept."""
    return request.form.get(field, "") if rejected(endpoint) else kept


def described(endpoint: str, field: str, hint: str = "") -> Markup:
    """Return the attributes by which a screen reader says what is wrong with a field, and put the cursor into it.

    hint: the id of the sentence that always describes the field.
    """
    if rejected(endpoint, field):
        ids = f"fault {hint}".strip()
        return Markup(' aria-invalid="true" aria-describedby="{}" autofocus').format(ids)
    return Markup(' aria-describedby="{}"').format(hint) if hint else Markup()


def fault(endpoint: str, field: str) -> Markup:
    """Return the sentence beside a field that was rejected."""
    if (found := rejected(endpoint, field)) is None:
        return Markup()
    return Markup('<span class="fault" id="fault" role="alert">{}</span>').format(found.sentence)
