"""The language of the page: gettext catalogues for sentences, Babel's locales for numbers and dates.

The HTTP API, the commands, logs and the webhook are in English: they use ``str()``. A catalogue is loaded at its first
use; a missing sentence is shown in English.
"""

import gettext
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale, dates, numbers
from flask import Flask, Response, g, has_request_context, request

from oauth_web.services import services
from worker.errors import BuyerblockError, StorageError
from worker.notices.doubts import Reason
from worker.operation.health import Problem
from worker.owner.preferences import read_preferences
from worker.problems import MailboxProblem
from worker.sentences import Readable, Sentence, filled

ENGLISH = "en"
# Languages with a complete catalogue, each by its own name.
LANGUAGES: Mapping[str, str] = {
    ENGLISH: "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "ja": "日本語",
}

FOLDER = Path(__file__).parent.parent / "locale"
_TRANSLATABLE = (Sentence, BuyerblockError, MailboxProblem, Reason, Problem)


def set_up(app: Flask) -> None:
    """Show pages in the reader's language; templates translate the engine's sentences automatically."""
    app.jinja_env.finalize = lambda it: translated(it) if isinstance(it, _TRANSLATABLE) else it
    app.jinja_env.globals["language"] = current

    @app.after_request
    def vary(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.vary.add("Accept-Language")
        return response


def current() -> str:
    """Return the language of this request: the owner's choice, else the browser's, else English."""
    if not has_request_context():
        return ENGLISH
    if "language" not in g:
        g.language = _language()
    return str(g.language)


def _language() -> str:
    try:
        chosen = read_preferences(services().app.database).language
    except StorageError:  # the error page needs a language, too
        chosen = ""
    return chosen if chosen in LANGUAGES else _browser_language()


def _browser_language() -> str:
    # Not Werkzeug's best_match: it returns German for “en-US, de;q=0.8”, because only “de” matches exactly.
    accepted = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return next((it for it in accepted if it in LANGUAGES), ENGLISH)


def locale() -> Locale:
    """Return the locale of this request, for numbers and dates."""
    return _locale(current())


@cache
def _locale(language: str) -> Locale:
    # British, because day before month and 24 hours are understood everywhere.
    return Locale.parse("en_GB" if language == ENGLISH else language)


def catalogue() -> gettext.NullTranslations:
    """Return the catalogue of this request's language."""
    return _catalogue(current())


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    from babel.messages import mofile, pofile  # noqa: PLC0415 - only for other languages than English

    compiled = BytesIO()
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        mofile.write_mo(compiled, pofile.read_po(file))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def translated(what: Readable) -> str:
    """Return a sentence of the engine, and the sentences in its fields, in this request's language."""
    sentence = filled(catalogue().gettext(what.template) if what.template else "", what.fields, formatted)
    return f"{what.account}: {sentence}" if isinstance(what, Problem) and what.account else sentence


def formatted(value: object) -> object:
    """Return the value of a field, formatted for this request's language."""
    if isinstance(value, _TRANSLATABLE):
        return translated(value)
    match value:
        case int():
            return numbers.format_decimal(value, locale=locale())
        case datetime():
            utc = value.astimezone(UTC)
            return f"{day(utc.date())}, {dates.format_time(utc, 'short', locale=locale())} UTC"
        case date():
            return day(value)
        case tuple():
            return ", ".join(str(formatted(it)) for it in value)
    return value


def day(value: date) -> str:
    return dates.format_date(value, "medium", locale=locale())
