"""The table of sentences: all that the pages say is in it, and nothing else."""

import re
from pathlib import Path

import oauth_web
from oauth_web.texts.english import ENGLISH

ROOT = Path(oauth_web.__file__).parent
SOURCES = [
    path.read_text(encoding="utf-8")
    for path in [*ROOT.rglob("*.py"), *ROOT.glob("templates/*.html")]
    if path.name != "english.py"
]


def test_every_sentence_is_used() -> None:
    named = {
        name
        for source in SOURCES
        for name in re.findall(r"""["']([a-z_0-9]+(?:\.[a-z_0-9]+)?)["']""", source)
    }
    begun = tuple(name for source in SOURCES for name in re.findall(r'(?:f"|")([a-z_]+\.)(?:\{|" ~)', source))
    unused = [
        name
        for name in ENGLISH
        if not name.startswith(begun) and not {name, name.removesuffix("_one")} & named
    ]
    assert unused == []


def test_every_sentence_that_is_named_exists() -> None:
    named = {
        name
        for source in SOURCES
        for name in re.findall(r"""\b(?:t|text)\(["']([a-z_0-9.]+)["'][,)]""", source)
    }
    assert named - ENGLISH.keys() == set()


def test_no_page_holds_words_of_its_own() -> None:
    for path in ROOT.glob("templates/*.html"):
        text = path.read_text(encoding="utf-8")
        bare = re.sub(r"(?s)\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", text)
        assert re.findall(r"[A-Za-z]{2,}", bare) == [], path.name
