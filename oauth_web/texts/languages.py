"""The page in the reader's language: sentences by gettext catalogues, numbers and dates by Babel's locales.

The HTTP API, the commands, logs and the webhook speak English: they use ``str()``. A catalogue is read at its first
use; a sentence that it lacks is shown in English.
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
# Those whose catalogues are complete, each in its own words.
LANGUAGES: Mapping[str, str] = {
    ENGLISH: "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "ja": "日本語",
}

FOLDER = Path(__file__).parent.parent / "locale"
_TOLD = (Sentence, BuyerblockError, MailboxProblem, Reason, Problem)


def speak(app: Flask) -> None:
    """Show pages in the reader's language: what the engine says is translated wherever a template writes it."""
    app.jinja_env.finalize = lambda it: translated(it) if isinstance(it, _TOLD) else it
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
        g.language = _chosen()
    return str(g.language)


def _chosen() -> str:
    try:
        chosen = read_preferences(services().app.database).language
    except StorageError:  # the page that says so has a language, too
        chosen = ""
    return chosen if chosen in LANGUAGES else _asked_for()


def _asked_for() -> str:
    # For Werkzeug's best_match “en-US, de;q=0.8” is German, which is the only one that we have to the letter.
    wanted = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return next((it for it in wanted if it in LANGUAGES), ENGLISH)


def locale() -> Locale:
    """Return how this request's language writes numbers and dates."""
    return _locale(current())


@cache
def _locale(language: str) -> Locale:
    # Day before month and 24 hours, which readers everywhere understand.
    return Locale.parse("en_GB" if language == ENGLISH else language)


def catalogue() -> gettext.NullTranslations:
    """Return the sentences of this request's language."""
    return _catalogue(current())


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    from babel.messages import mofile, pofile  # noqa: PLC0415 - for the first reader of another language

    packed = BytesIO()
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        mofile.write_mo(packed, pofile.read_po(file))
    packed.seek(0)
    return gettext.GNUTranslations(packed)


def translated(what: Readable) -> str:
    """Return what the engine says in this request's language; what it takes up is translated first."""
    sentence = filled(catalogue().gettext(what.template) if what.template else "", what.fields, shown)
    return f"{what.account}: {sentence}" if isinstance(what, Problem) and what.account else sentence


def shown(value: object) -> object:
    """Return what fills a sentence, as this request's language writes it."""
    if isinstance(value, _TOLD):
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
            return ", ".join(str(shown(it)) for it in value)
    return value


def day(value: date) -> str:
    """Return a date."""
    return dates.format_date(value, "medium", locale=locale())
