"""The page in the reader's language; what programs and operators read stays English."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from browsing import csrf_token, post
from clocks import FakeClock
from flask.ctx import RequestContext
from flask.testing import FlaskClient
from people import OWNER
from werkzeug.test import TestResponse

from oauth_web.texts import languages
from oauth_web.texts.words import ago, day, exactly, number, span, until, week
from worker.app import App
from worker.block_list.model import Sighting
from worker.block_list.review import ReviewItem
from worker.errors import UsageError
from worker.notices.doubts import Doubt, Reason
from worker.operation.health import health
from worker.owner.preferences import change_preferences, read_preferences
from worker.problems import Cause, MailboxProblem
from worker.sentences import Sentence

Language = Callable[[str], RequestContext]

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


def german(client: FlaskClient, path: str) -> TestResponse:
    return client.get(path, headers=GERMAN)


def choose(engine: App, language: str) -> None:
    change_preferences(engine.database, lambda it: type(it)(language=language))


@pytest.fixture
def in_language(owner: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Language:
    """Enter a request in any language of the catalogues, offered or not."""

    def enter(language: str) -> RequestContext:
        monkeypatch.setattr(languages, "LANGUAGES", {language: language})
        return owner.application.test_request_context(headers={"Accept-Language": language})

    return enter


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("de", "de"),
        ("de-CH, fr;q=0.8", "de"),
        ("en-US, de;q=0.8", "en"),
        ("tlh, de;q=0.2", "de"),
        ("de;q=0, en", "en"),
        ("tlh", "en"),
        ("", "en"),
        (";;q=x,,\u00e4", "en"),
    ],
)
def test_the_browser_says_which_language(stranger: FlaskClient, asked: str, answered: str) -> None:
    answer = stranger.get("/", headers={"Accept-Language": asked})
    assert f'<html lang="{answered}">' in answer.text
    assert "Accept-Language" in answer.vary


def test_what_the_owner_chose_goes_before_what_the_browser_asks(
    owner: FlaskClient, engine: App, stranger: FlaskClient
) -> None:
    answer = post(owner, "/settings/language", form_on="/settings/general", language="de")
    assert answer.status_code == 303
    assert read_preferences(engine.database).language == "de"
    page = owner.get("/settings/general", headers={"Accept-Language": "en"}).text
    assert "Die Sprache der Seite ist gespeichert." in page
    assert '<option value="de" lang="de" selected>Deutsch</option>' in page
    assert '<html lang="de">' in stranger.get("/").text
    post(owner, "/settings/language", form_on="/settings/general", language="")
    assert '<html lang="en">' in owner.get("/settings/general").text


def test_a_language_that_is_not_offered_is_refused(owner: FlaskClient, engine: App) -> None:
    assert post(owner, "/settings/language", form_on="/settings/general", language="tlh").status_code == 400
    assert read_preferences(engine.database).language == ""
    choose(engine, "tlh")  # of a later version
    assert '<html lang="en">' in owner.get("/").text


def test_home_and_the_list_are_german(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    sighting = Sighting(
        account=OWNER,
        message_id="1@eu-west-1.amazonses.com",
        received_at=clock.now(),
        address="buyer0000000001@marketplace.amazon.de",
        order_id=None,
        marketplace="amazon.de",
    )
    engine.block_list.record([sighting])
    engine.accounts.update(
        account, last_pass=clock.now() - timedelta(days=2), next_pass=clock.now() + timedelta(days=3)
    )
    home = german(owner, "/").text
    assert "Geprüft: vor 2 Tagen, das nächste Mal in 3 Tagen." in home
    assert "Käufer ist gesperrt" in home
    blocks = german(owner, "/blocks").text
    assert "<h1>Sperrliste" in blocks
    written = f"{clock.now():%d.%m.%Y}"
    assert f'<time datetime="{clock.now().isoformat()}">{written}</time>' in blocks


def test_a_doubt_is_told_in_german(owner: FlaskClient, engine: App, account: str, clock: FakeClock) -> None:
    engine.review.add(
        [
            ReviewItem(
                account=account,
                message_id="r@x",
                gmail_id="18c1",
                sender="colleague@example.com",
                subject="WG: Benachrichtigung",
                received_at=clock.now(),
                reason=Reason(Doubt.FORWARDED_BY_STRANGER, "colleague@example.com"),
                address=None,
            )
        ]
    )
    page = german(owner, "/review").text
    assert "Sie wurde von colleague@example.com weitergeleitet; dieser Adresse vertrauen Sie nicht" in page


def test_an_error_and_a_refused_form_are_german(owner: FlaskClient) -> None:
    assert "Diese Seite gibt es nicht." in german(owner, "/nothing").text
    token = {"csrf_token": csrf_token(owner)}
    refused = owner.post("/blocks/block", data={**token, "keys": "nonsense"}, headers=GERMAN).text
    assert "&#39;nonsense&#39; ist kein Schlüssel: es ist weder die Adresse eines Käufers noch" in refused
    short = {**token, "passphrase": "short", "again": "short"}
    assert (
        "verwenden Sie mindestens 8 Zeichen"
        in owner.post("/settings/backup", data=short, headers=GERMAN).text
    )


def test_a_problem_is_german_on_the_page_and_english_for_machines(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    engine.accounts.update(account, state="sign_in_again", problem=MailboxProblem(Cause.SIGN_IN_ENDED))
    engine.accounts.update(account, unlisted=1200)
    assert "Google hat die Anmeldung beendet" in german(owner, "/").text
    (problem, *_) = health(engine, clock.now()).problems
    assert str(problem).startswith(f"{account}: Google has ended the sign-in")
    ready = german(owner, "/readyz")
    assert ready.status_code == 503
    assert "Google has ended the sign-in" in ready.text


def test_a_problem_takes_numbers_and_times_as_the_language_writes_them(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    engine.accounts.update(
        account, unlisted=1200, sign_in_ends=clock.now() + timedelta(hours=3), last_good_pass=clock.now()
    )
    page = german(owner, "/").text
    assert f"{account}: 1.200 der E-Mails" in page
    ends = clock.now() + timedelta(hours=3)
    assert f"Google beendet diese Anmeldung am {ends:%d.%m.%Y, %H:%M} UTC" in page


def test_what_a_sentence_takes_up_is_translated_first(owner: FlaskClient) -> None:
    error = UsageError("Line {number} was left out: {problem}.", number=1200, problem=Sentence("it is empty"))
    silent = MailboxProblem(Cause.UNREACHABLE, {"why": "no answer in time"}, tried_again=True)
    stored = MailboxProblem(Cause.STORAGE, {"sentence": "The program is stopping."})
    with owner.application.test_request_context(headers=GERMAN):
        assert languages.translated(error) == "Zeile 1.200 wurde ausgelassen: es ist leer."
        assert languages.translated(silent) == (
            "Google war nicht zu erreichen (keine Antwort in angemessener Zeit). "
            "Der nächste Durchgang versucht es wieder."
        )
        assert languages.translated(stored) == "Das Programm wird beendet."
    assert str(error) == "Line 1,200 was left out: it is empty."


def test_words_of_others_that_are_also_sentences_of_ours_stay(owner: FlaskClient) -> None:
    with owner.application.test_request_context(headers=GERMAN):
        told = languages.translated(UsageError("There is no import {import_id!r} to undo.", import_id="Save"))
    assert "'Save'" in told


def test_times_and_numbers_are_written_as_the_language_does(in_language: Language, clock: FakeClock) -> None:
    moment = clock.now().replace(year=2026, month=8, day=10)
    written, two_hours = {}, timedelta(hours=2)
    for language in ("en", "de", "it", "fr", "es", "ja"):
        with in_language(language):
            written[language] = (
                day(moment),
                week(moment.date()),
                number(1234567),
                span(two_hours),
                exactly(90),
            )
    assert written == {
        "en": ("10 Aug 2026", "10 Aug", "1,234,567", "2 hours", "90 seconds"),
        "de": ("10.08.2026", "10. Aug.", "1.234.567", "2 Stunden", "90 Sekunden"),
        "it": ("10 ago 2026", "10 ago", "1.234.567", "2 ore", "90 secondi"),
        "fr": ("10 août 2026", "10 août", "1\u202f234\u202f567", "2\u00a0heures", "90\u00a0secondes"),
        "es": ("10 ago 2026", "10 ago", "1.234.567", "2 horas", "90 segundos"),
        "ja": ("2026/08/10", "8月10日", "1,234,567", "2 時間", "90 秒"),
    }
    with in_language("de"):
        assert ago(clock.now() - timedelta(days=40)) == "vor 40 Tagen"
        assert until(clock.now() + timedelta(seconds=20)) == "in 20 Sekunden"


def test_languages_count_in_their_own_ways(in_language: Language) -> None:
    forms = {}
    for language in ("de", "it", "fr", "es", "ja"):
        with in_language(language):
            counted = languages.catalogue()
            forms[language] = [counted.plural(it) for it in (0, 1, 2)]  # type: ignore[attr-defined]
    assert forms == {"de": [1, 0, 1], "it": [1, 0, 1], "fr": [0, 0, 1], "es": [1, 0, 1], "ja": [0, 0, 0]}


def test_the_help_says_that_it_is_in_english(owner: FlaskClient) -> None:
    assert "Diese Seiten sind auf Englisch." in german(owner, "/help/seller").text
    assert "These pages are in English." not in owner.get("/help/seller").text


def test_the_api_speaks_english(owner: FlaskClient) -> None:
    answer = german(owner, "/api/v1/blocks?limit=none")
    assert answer.status_code == 400
    assert "limit must be a whole number" in answer.text
