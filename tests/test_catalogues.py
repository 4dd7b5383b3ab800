"""The catalogues of the page's languages: complete where a language is offered, and nothing that is not used."""

import io
import re
from collections import Counter

import pytest
from babel.messages import Catalog, pofile

from catalogues import PLURALS, path_of, sentences, untranslated, updated_catalogue
from oauth_web.texts.languages import ENGLISH, LANGUAGES

OFFERED = [language for language in LANGUAGES if language != ENGLISH]
FIELD = re.compile(r"\{[^{}]*\}")


def catalog_of(language: str) -> Catalog:
    return pofile.read_po(io.BytesIO(path_of(language).read_bytes()))


@pytest.mark.parametrize("language", OFFERED)
def test_every_sentence_is_translated(language: str) -> None:
    assert untranslated(language) == []


@pytest.mark.parametrize("language", PLURALS)
def test_a_catalogue_holds_the_sentences_of_now_and_no_others(language: str) -> None:
    assert path_of(language).read_text(encoding="utf-8") == updated_catalogue(language), (
        "run scripts/catalogues.py"
    )


@pytest.mark.parametrize("language", PLURALS)
def test_a_catalogue_says_how_it_was_translated(language: str) -> None:
    head = path_of(language).read_text(encoding="utf-8").partition("msgid")[0]
    assert "by machine, and not yet proofread by native speakers" in head


@pytest.mark.parametrize("language", PLURALS)
def test_translations_have_the_fields_of_their_sentences(language: str) -> None:
    wrong = [
        translation
        for sentence, translation, may_lack in translations(language)
        if fields(translation) not in (fields(sentence), fields(sentence) - may_lack)
    ]
    assert wrong == []


@pytest.mark.parametrize("language", PLURALS)
def test_translations_begin_and_end_as_their_sentences_and_hold_no_markup(language: str) -> None:
    wrong = [
        translation
        for sentence, translation, _ in translations(language)
        if re.search(r"<\w|&\w+;", translation) or ends(sentence) != ends(translation)
    ]
    assert wrong == []


def test_no_two_sentences_begin_with_the_same_form() -> None:
    firsts = Counter(msgid if isinstance(msgid, str) else msgid[0] for msgid in sentences())
    assert [sentence for sentence, times in firsts.items() if times > 1] == []


def translations(language: str) -> list[tuple[str, str, Counter[str]]]:
    """Return each translated form with its sentence, and the fields that this form may do without.

    Only where the first form stands for one alone may it write the number out; in French it stands for none, too.
    """
    found = []
    for message in catalog_of(language):
        if isinstance(message.id, str):
            found.append((message.id, str(message.string), Counter[str]()))
            continue
        for number, form in enumerate(message.string or ()):
            for_one_alone = number == 0 and "n != 1" in PLURALS[language]
            found.append((message.id[1], form, Counter(["{count}"] if for_one_alone else [])))
    return [(sentence, form, may_lack) for sentence, form, may_lack in found if sentence and form]


def fields(sentence: str) -> Counter[str]:
    return Counter(FIELD.findall(sentence))


def ends(text: str) -> tuple[bool, bool]:
    return text[0].isspace(), text[-1].isspace()
